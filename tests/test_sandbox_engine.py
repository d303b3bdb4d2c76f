"""The real engine, attached to the sandbox: previews, updates, refreshes, faults."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random
import pytest
from pulumi import ResourceOptions, automation

from ops.engine.install import provide_engine
from sandbox.cloud import Cloud
from sandbox.server import Fault, Sandbox
from tests.console import enable_apis, made

pytestmark = [
    # The SDKs warn about deprecated names while they are imported.
    pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of"),
    # The Automation API drops the event loop and the coroutines of a program whose up failed.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

Changes = dict[str, int]

APIS = ("compute", "container", "pubsub", "run", "servicenetworking", "sqladmin", "storage")


class Estate:
    """A stack with its own program, and its cloud."""

    def __init__(self, folder: Path, cloud: Sandbox) -> None:
        self.folder = folder
        self.program: Callable[[], None] = lambda: None
        executable = provide_engine(print)
        self._stack = automation.create_or_select_stack(
            "test",
            project_name="sandbox",
            program=lambda: self.program(),
            opts=automation.LocalWorkspaceOptions(
                work_dir=str(folder),
                pulumi_command=automation.PulumiCommand(root=str(executable.parent.parent)),
                env_vars={
                    "PULUMI_BACKEND_URL": f"file://{folder}",
                    "PULUMI_HOME": str(folder / "home"),
                    "PULUMI_CONFIG_PASSPHRASE": "test",
                    "PULUMI_SKIP_UPDATE_CHECK": "true",
                    # The engine must not download the plugins that the sandbox replaces.
                    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                    **cloud.environment,
                },
            ),
        )

    def preview(self, **options: Any) -> Changes:
        return {
            str(kind): count
            for kind, count in self._stack.preview(**options).change_summary.items()
        }

    def up(self) -> Changes:
        return self._changes(self._stack.up())

    def refresh(self) -> Changes:
        return self._changes(self._stack.refresh())

    def destroy(self) -> Changes:
        return self._changes(self._stack.destroy())

    def cancel(self) -> None:
        self._stack.cancel()

    def outputs(self) -> dict[str, automation.OutputValue]:
        return dict(self._stack.outputs())

    def state(self) -> str:
        """The state file; an export would decrypt its secrets."""
        return (self.folder / ".pulumi/stacks/sandbox/test.json").read_text("utf-8")

    def differences(self) -> dict[str, str]:
        """What a preview would change, by resource and property path."""
        found: dict[str, str] = {}

        def note(event: automation.EngineEvent) -> None:
            if event.resource_pre_event is not None:
                metadata = event.resource_pre_event.metadata
                for path, change in (metadata.detailed_diff or {}).items():
                    found[f"{metadata.urn.rpartition('::')[2]}.{path}"] = change.diff_kind.value

        self._stack.preview(on_event=note)
        return found

    @staticmethod
    def _changes(result: Any) -> Changes:
        return dict(result.summary.resource_changes or {})


@contextmanager
def estate(
    folder: Path, faults: Sequence[Fault] = (), crash: Callable[[], None] | None = None
) -> Iterator[Estate]:
    for project in ("pull-test", "project-one", "project-two"):
        enable_apis(folder / "cloud", project, *APIS)
    with Sandbox(folder / "cloud", faults, crash) as cloud:
        yield Estate(folder, cloud)
    gc.collect()  # so that resources left open cause their warnings here


@contextmanager
def by_hand(folder: Path) -> Iterator[Cloud]:
    cloud = Cloud(folder / "cloud")
    yield cloud
    cloud.close()


def on(provider: pulumi.ProviderResource, **options: Any) -> ResourceOptions:
    return ResourceOptions(provider=provider, **options)


def google() -> gcp.Provider:
    return gcp.Provider("google", project="pull-test", region="us-central1")


def database() -> None:
    """A network with a database, its user and password."""
    provider = google()
    network = gcp.compute.Network("network", name="main", opts=on(provider))
    services = gcp.compute.GlobalAddress(
        "range",
        name="range",
        purpose="VPC_PEERING",
        address_type="INTERNAL",
        network=network.id,
        opts=on(provider),
    )
    peering = gcp.servicenetworking.Connection(
        "peering",
        network=network.id,
        service="servicenetworking.googleapis.com",
        reserved_peering_ranges=[services.name],
        deletion_policy="REMOVE_PEERING",
        opts=on(provider),
    )
    password = random.RandomPassword(
        "password", length=20, special=False, opts=on(random.Provider("random"))
    )
    postgres = gcp.sql.DatabaseInstance(
        "postgres",
        name="pg",
        database_version="POSTGRES_16",
        deletion_protection=False,
        settings={
            "tier": "db-custom-2-7680",
            "edition": "ENTERPRISE",
            "ip_configuration": {"private_network": network.id, "ipv4_enabled": False},
        },
        opts=on(provider, depends_on=[peering]),
    )
    gcp.sql.User(
        "user", name="pull", instance=postgres.name, password=password.result, opts=on(provider)
    )
    pulumi.export("connection", postgres.connection_name)
    pulumi.export("password", password.result)


def test_the_lifecycle_from_preview_to_destroy(tmp_path: Path) -> None:
    with estate(tmp_path) as stack:
        stack.program = database
        planned = stack.preview()
        assert stack.up() == planned == {"create": 9}

        outputs = stack.outputs()
        assert outputs["connection"].value == "pull-test:us-central1:pg"
        assert outputs["password"].secret
        assert len(outputs["password"].value) == 20
        assert outputs["password"].value not in stack.state()
        assert stack.up() == {"same": 9}

        with by_hand(tmp_path) as cloud:
            cloud.edit(cloud.named("pg")[0], "settings.tier", "db-custom-4-15360")
            cloud.remove(cloud.named("pull//pg")[0])
        assert stack.refresh() == {"same": 7, "update": 1, "delete": 1}
        assert stack.up() == {"same": 7, "update": 1, "create": 1}
        with by_hand(tmp_path) as cloud:
            assert cloud.named("pg")[0].inputs["settings"]["tier"] == "db-custom-2-7680"

        assert stack.destroy() == {"delete": 9}
        with by_hand(tmp_path) as cloud:
            assert made(cloud) == []


def test_a_preview_fails_with_the_paths_of_all_invalid_inputs(tmp_path: Path) -> None:
    def program() -> None:
        wrong: Any = {"ip_configuration": {"ipv4_enabled": "no"}, "no_such": 1}
        gcp.sql.DatabaseInstance(
            "postgres", database_version="POSTGRES_16", settings=wrong, opts=on(google())
        )

    with estate(tmp_path) as stack:
        stack.program = program
        with pytest.raises(automation.CommandError) as error:
            stack.preview()
    for part in ("settings.ipConfiguration.ipv4Enabled", "settings.tier", "settings.no_such"):
        assert part in str(error.value)


def test_an_up_can_fail_after_a_successful_preview(tmp_path: Path) -> None:
    def program() -> None:
        provider = google()
        for name in ("one", "two"):
            gcp.storage.Bucket(name, name="pull-same", location="us-central1", opts=on(provider))

    with estate(tmp_path) as stack:
        stack.program = program
        assert stack.preview() == {"create": 4}
        with pytest.raises(automation.CommandError, match=r"Bucket b/pull-same already exists"):
            stack.up()
        with by_hand(tmp_path) as cloud:
            assert [resource.id for resource in made(cloud)] == ["pull-same"]


def test_changes_have_paths_and_replace_as_the_provider_does(tmp_path: Path) -> None:
    memory, location, image = "4Gi", "us-central1", "a"

    def program() -> None:
        provider = google()
        gcp.cloudrunv2.Service(
            "api",
            name="api",
            location=location,
            deletion_protection=False,
            template={
                "containers": [
                    {"image": image, "resources": {"limits": {"cpu": "4", "memory": memory}}}
                ]
            },
            opts=on(provider, ignore_changes=["template.containers[0].image"]),
        )
        gcp.storage.Bucket("unnamed", location="us-central1", opts=on(provider))

    with estate(tmp_path) as stack:
        stack.program = program
        stack.up()
        with by_hand(tmp_path) as cloud:
            (bucket,) = [resource for resource in cloud.resources() if "storage" in resource.type]
        assert bucket.id.startswith("unnamed-")  # named by the provider

        image, memory = "b", "8Gi"  # the image is ignored
        path = "api.template.containers[0].resources.limits.memory"
        assert stack.differences() == {path: "update"}
        image, memory, location = "a", "4Gi", "europe-west1"
        assert stack.differences() == {"api.location": "update-replace"}
        assert stack.up() == {"same": 3, "replace": 1}
        with by_hand(tmp_path) as cloud:
            services = [
                resource.id for resource in cloud.resources() if "cloudrun" in resource.type
            ]
        assert services == ["projects/pull-test/locations/europe-west1/services/api"]


def test_two_providers_of_the_same_package_are_separate(tmp_path: Path) -> None:
    def program() -> None:
        for project in ("project-one", "project-two"):
            provider = gcp.Provider(project, project=project)
            gcp.pubsub.Topic(project, name="topic", opts=on(provider))

    with estate(tmp_path) as stack:
        stack.program = program
        stack.up()
        with by_hand(tmp_path) as cloud:
            assert [resource.id for resource in made(cloud)] == [
                "projects/project-one/topics/topic",
                "projects/project-two/topics/topic",
            ]


def topics(*names: str) -> Callable[[], None]:
    """One topic after the other, so that the nth operation is always the same."""

    def program() -> None:
        provider = google()
        previous: list[pulumi.Resource] = []
        for name in names:
            options = on(provider, depends_on=list(previous))
            previous.append(gcp.pubsub.Topic(name, name=name, opts=options))

    return program


def in_cloud(folder: Path) -> list[str]:
    with by_hand(folder) as cloud:
        return [resource.id.rpartition("/")[2] for resource in made(cloud)]


def test_an_error_before_a_change_leaves_nothing_and_one_after_leaves_the_resource(
    tmp_path: Path,
) -> None:
    before = Fault(at=1, effect="error", moment="before", message="quota is used up")
    after = Fault(at=3, effect="error")
    with estate(tmp_path, [before, after]) as stack:
        stack.program = topics("first", "second")
        with pytest.raises(automation.CommandError, match="quota is used up"):
            stack.up()
        assert in_cloud(tmp_path) == []
        with pytest.raises(automation.CommandError, match="injected fault at operation 3"):
            stack.up()
        assert in_cloud(tmp_path) == ["first", "second"]
        with pytest.raises(automation.CommandError, match="second already exists"):
            stack.up()
        with by_hand(tmp_path) as cloud:
            cloud.remove(cloud.named("second")[0])
        assert stack.up() == {"same": 3, "create": 1}


def test_an_update_or_deletion_without_a_reply_is_repeated(tmp_path: Path) -> None:
    owner = "core"

    def program() -> None:
        gcp.pubsub.Topic("topic", name="topic", labels={"owner": owner}, opts=on(google()))

    lost = [Fault(at=at, effect="error", message="500: try again") for at in (2, 4)]
    with estate(tmp_path, lost) as stack:
        stack.program = program
        stack.up()
        owner = "web"
        with pytest.raises(automation.CommandError, match="500: try again"):
            stack.up()
        assert stack.up() == {"same": 2, "update": 1}
        assert stack.refresh() == {"same": 3}
        with pytest.raises(automation.CommandError, match="500: try again"):
            stack.destroy()
        assert in_cloud(tmp_path) == []
        stack.destroy()


def test_a_delay_delays_the_reply(tmp_path: Path) -> None:
    with estate(tmp_path, [Fault(at=1, effect="delay", seconds=1.5)]) as stack:
        stack.program = topics("first")
        started = time.monotonic()
        assert stack.up() == {"create": 3}
        assert time.monotonic() - started >= 1.5


def kill_engine() -> None:
    """Send SIGKILL to the engine that this process started."""
    listed = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True
    )
    for line in listed.stdout.splitlines():
        pid, parent, command = line.split(maxsplit=2)
        if int(parent) == os.getpid() and command.endswith("pulumi"):
            os.kill(int(pid), signal.SIGKILL)


def test_a_crash_leaves_the_cloud_ahead_of_the_state(tmp_path: Path) -> None:
    with estate(tmp_path, [Fault(at=2, effect="crash")], kill_engine) as stack:
        stack.program = topics("first", "second", "third")
        with pytest.raises(automation.CommandError):
            stack.up()
        assert in_cloud(tmp_path) == ["first", "second"]
        stack.cancel()  # removes the lock of the killed engine
        state = json.loads(stack.state())["checkpoint"]["latest"]
        (pending,) = state["pending_operations"]
        urn = pending["resource"]["urn"]
        assert (pending["type"], urn.rpartition("::")[2]) == ("creating", "second")
        with by_hand(tmp_path) as cloud:
            assert cloud.ids_of(urn) == ["projects/pull-test/topics/second"]
