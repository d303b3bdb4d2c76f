"""Kubernetes in the sandbox: names, namespaces, server defaults, replacements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
import pytest
from pulumi import automation

import resource_types
from resource_types.kubernetes import (
    CONFIG_MAP,
    DEPLOYMENT,
    EXTERNAL_SECRET,
    HORIZONTAL_POD_AUTOSCALER,
    JOB,
    NAMESPACE,
    POD_DISRUPTION_BUDGET,
    PRIORITY_CLASS,
    RELEASE,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
)
from sandbox.cloud import ApiError, Cloud
from sandbox.diff import compare
from sandbox.kubernetes import complete, config_replacements, keeps_its_name, prune, replace_on
from sandbox.models import model_of
from sandbox.outputs import preview_creation
from sandbox.schema import check, schema_of
from sandbox.store import Record
from sandbox.values import UNKNOWN, Properties, is_secret, reveal, secret
from tests.console import made
from tests.test_sandbox_engine import by_hand, estate, on

pytestmark = [
    # The SDKs warn about deprecated names while they are imported.
    pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of"),
    # The Automation API drops the event loop and the coroutines of a program whose up failed.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path)
    yield cloud
    cloud.close()


def make(
    cloud: Cloud, token: str, name: str, namespace: str | None = "pull", **inputs: Any
) -> Record:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    inputs = {"metadata": metadata, **inputs}
    return cloud.create(f"urn:{token}::{len(cloud.resources())}", token, inputs, {})


def workload(**pod: Any) -> Properties:
    container = {"name": "api", "image": "api:1", "ports": [{"containerPort": 3000}]}
    return {
        "selector": {"matchLabels": {"app": "api"}},
        "template": {
            "metadata": {"labels": {"app": "api"}},
            "spec": {"containers": [container], **pod},
        },
    }


# -- What the API server does ----------------------------------------------------------------------


def test_ids_are_namespace_and_name(cloud: Cloud) -> None:
    assert make(cloud, NAMESPACE, "pull", None).id == "pull"
    assert make(cloud, SERVICE_ACCOUNT, "api").id == "pull/api"
    assert make(cloud, SERVICE_ACCOUNT, "api", "default").id == "default/api"
    generated = cloud.create(
        "urn", JOB, {"metadata": {"generateName": "migrate-", "namespace": "pull"}}, {}
    )
    assert generated.id.startswith("pull/migrate-")
    assert generated.outputs["metadata"]["name"] == generated.id.removeprefix("pull/")


def test_a_name_is_unique_per_kind_and_namespace(cloud: Cloud) -> None:
    for namespace in ("pull", "other"):
        make(cloud, NAMESPACE, namespace, None)
        make(cloud, SERVICE_ACCOUNT, "api", namespace)
    make(cloud, CONFIG_MAP, "api")
    with pytest.raises(ApiError, match=r"Error 409: .*ConfigMap pull/api already exists"):
        make(cloud, CONFIG_MAP, "api")


def test_a_namespace_must_exist_and_its_deletion_deletes_its_objects(cloud: Cloud) -> None:
    with pytest.raises(ApiError, match=r"Error 404: .*:Namespace 'pull', which does not exist"):
        make(cloud, CONFIG_MAP, "api")
    made = make(cloud, NAMESPACE, "pull", None)
    make(cloud, CONFIG_MAP, "api")
    make(cloud, EXTERNAL_SECRET, "api", apiVersion="external-secrets.io/v1", kind="ExternalSecret")
    remaining = make(cloud, CONFIG_MAP, "api", "default")
    cloud.delete(NAMESPACE, made.id, {})
    assert [resource.id for resource in cloud.resources()] == [remaining.id]


@pytest.mark.parametrize(
    ("pod", "missing"),
    [
        ({"serviceAccountName": "api"}, "ServiceAccount 'api'"),
        ({"priorityClassName": "high"}, "PriorityClass 'high'"),
        ({"volumes": [{"name": "v", "configMap": {"name": "files"}}]}, "ConfigMap 'files'"),
    ],
)
def test_a_workload_fails_if_its_pods_cannot_start(
    cloud: Cloud, pod: Properties, missing: str
) -> None:
    make(cloud, NAMESPACE, "pull", None)
    with pytest.raises(ApiError, match=missing):
        make(cloud, DEPLOYMENT, "api", spec=workload(**pod))
    make(cloud, SERVICE_ACCOUNT, "api")
    make(cloud, PRIORITY_CLASS, "high", None, value=1000)
    make(cloud, CONFIG_MAP, "files")
    make(cloud, DEPLOYMENT, "api", spec=workload(**pod))


@pytest.mark.parametrize(
    ("name", "change", "failure"),
    [
        ("Api_1", {}, "metadata.name: 'Api_1': expected up to 253"),
        ("api", {"selector": {"matchLabels": {"app": "web"}}}, "spec.selector.matchLabels: .*web"),
    ],
)
def test_the_server_rejects_invalid_objects(
    cloud: Cloud, name: str, change: Properties, failure: str
) -> None:
    make(cloud, NAMESPACE, "pull", None)
    with pytest.raises(ApiError, match=failure):
        make(cloud, DEPLOYMENT, name, spec={**workload(), **change})


def test_only_a_workload_must_select_its_own_pods(cloud: Cloud) -> None:
    make(cloud, NAMESPACE, "pull", None)
    budget = {"selector": {"matchLabels": {"app": "api"}}, "minAvailable": 1}
    make(cloud, POD_DISRUPTION_BUDGET, "api", spec=budget)


def test_a_field_changed_by_hand_conflicts_unless_the_object_forces_it(cloud: Cloud) -> None:
    make(cloud, NAMESPACE, "pull", None)
    cloud.edit(make(cloud, CONFIG_MAP, "api", data={"CORS": "a", "B": "b"}), "data.CORS", "edited")

    def update(cors: str, b: str, **annotations: str) -> Properties:
        metadata = {"name": "api", "namespace": "pull", "annotations": annotations}
        inputs = {"metadata": metadata, "data": {"CORS": cors, "B": b}}
        data: Properties = cloud.update(CONFIG_MAP, "pull/api", inputs, {}).outputs["data"]
        return data

    assert update("edited", "c") == {"CORS": "edited", "B": "c"}
    with pytest.raises(ApiError, match=r"409: conflict at .*ConfigMap pull/api: data.CORS belongs"):
        update("a", "c")
    assert update("a", "c", **{"pulumi.com/patchForce": "true"}) == {"CORS": "a", "B": "c"}
    assert update("d", "c") == {"CORS": "d", "B": "c"}


def test_outputs_contain_the_server_defaults(cloud: Cloud) -> None:
    made = make(cloud, NAMESPACE, "pull", None)
    assert made.outputs["metadata"]["labels"] == {"kubernetes.io/metadata.name": "pull"}
    deployment = make(cloud, DEPLOYMENT, "api", spec={**workload(), "replicas": 3})
    spec = deployment.outputs["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": "25%"}
    assert (spec["replicas"], spec["revisionHistoryLimit"]) == (3, 10)
    (container,) = spec["template"]["spec"]["containers"]
    assert container["ports"] == [{"containerPort": 3000, "protocol": "TCP"}]
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert deployment.outputs["status"]["readyReplicas"] == 3
    assert {"uid", "resourceVersion", "creationTimestamp"} <= deployment.outputs["metadata"].keys()
    service = make(cloud, SERVICE, "api", spec={"ports": [{"port": 80}]})
    assert service.outputs["spec"]["type"] == "ClusterIP"
    assert service.outputs["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert service.outputs["spec"]["clusterIP"].startswith("34.118.")


def test_defaults_are_those_that_a_real_api_server_showed(cloud: Cloud) -> None:
    """``make test-cluster`` runs the same objects with the real provider."""
    make(cloud, NAMESPACE, "pull", None)
    make(cloud, SERVICE_ACCOUNT, "api-sa")
    wanted = workload()
    pod = wanted["template"]["spec"]
    pod["serviceAccountName"] = "api-sa"
    pod["containers"][0]["livenessProbe"] = {"httpGet": {"path": "/", "port": 3000}}
    pod["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": 3000}}
    shown = make(cloud, DEPLOYMENT, "api", spec=wanted).outputs["spec"]["template"]["spec"]
    assert shown["serviceAccount"] == "api-sa"
    assert shown["containers"][0]["livenessProbe"]["httpGet"]["scheme"] == "HTTP"
    assert "httpGet" not in shown["containers"][0]["readinessProbe"]
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 300}}
    scaled = make(
        cloud, HORIZONTAL_POD_AUTOSCALER, "api", spec={"maxReplicas": 2, "behavior": behavior}
    )
    double = {"type": "Percent", "value": 100, "periodSeconds": 15}
    four_pods = {"type": "Pods", "value": 4, "periodSeconds": 15}
    assert scaled.outputs["spec"]["behavior"] == {
        "scaleDown": {
            "policies": [double],
            "selectPolicy": "Max",
            "stabilizationWindowSeconds": 300,
        },
        "scaleUp": {
            "policies": [four_pods, double],
            "selectPolicy": "Max",
            "stabilizationWindowSeconds": 0,
        },
    }
    plain = make(cloud, HORIZONTAL_POD_AUTOSCALER, "plain", spec={"maxReplicas": 2}).outputs["spec"]
    assert "behavior" not in plain


def test_the_content_of_a_secret_stays_secret(cloud: Cloud) -> None:
    make(cloud, NAMESPACE, "pull", None)
    made = make(cloud, SECRET, "api", stringData=secret({"KEY": "planted"}))
    assert is_secret(made.outputs["data"])
    assert is_secret(made.outputs["stringData"])
    assert reveal(made.outputs["data"]) == {"KEY": "cGxhbnRlZA=="}
    marked = workload()
    marked["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": secret("planted")}]
    deployment = make(cloud, DEPLOYMENT, "api", spec=marked)
    (container,) = deployment.outputs["spec"]["template"]["spec"]["containers"]
    assert is_secret(container["env"][0]["value"])


def test_a_preview_does_not_know_what_the_server_generates(cloud: Cloud) -> None:
    inputs = {"metadata": {"name": "api", "namespace": "pull"}, "spec": {"ports": [{"port": 80}]}}
    outputs = preview_creation(SERVICE, inputs, {})
    assert outputs["metadata"]["name"] == "api"
    unknown = [outputs["metadata"]["uid"], outputs["spec"]["clusterIP"], outputs["status"]]
    assert unknown == [UNKNOWN] * 3
    make(cloud, NAMESPACE, "pull", None)
    made = make(cloud, SERVICE, "api", spec={"ports": [{"port": 80}]})
    planned = cloud.plan(made, {**inputs, "spec": {"ports": [{"port": 81}]}}, {})
    assert planned["metadata"]["uid"] == made.outputs["metadata"]["uid"]
    assert planned["metadata"]["resourceVersion"] == UNKNOWN
    assert planned["spec"]["clusterIP"] == made.outputs["spec"]["clusterIP"]
    assert planned["spec"]["ports"][0]["port"] == 81


def test_the_server_rejects_a_change_of_an_immutable_field(cloud: Cloud) -> None:
    made = make(cloud, PRIORITY_CLASS, "high", None, value=1000, description="a")
    inputs = {**made.inputs, "description": "b"}
    cloud.update(PRIORITY_CLASS, made.id, inputs, {})
    with pytest.raises(ApiError, match="PriorityClass high: value cannot be changed"):
        cloud.update(PRIORITY_CLASS, made.id, {**inputs, "value": 1001}, {})


def test_a_helm_release_is_deployed(cloud: Cloud) -> None:
    inputs = {"chart": "external-secrets", "name": "eso", "namespace": "eso", "version": "1.3.2"}
    made = cloud.create("urn", RELEASE, inputs, {})
    assert made.id == "eso/eso"
    assert made.outputs["status"]["status"] == "deployed"
    assert made.outputs["status"].keys() >= {"name", "namespace", "version", "chart"}


# -- What the provider does ------------------------------------------------------------------------


def completed(inputs: Properties, old: Properties | None = None, **settings: Any) -> Properties:
    return complete(CONFIG_MAP, "files", b"seed", old or {}, inputs, settings)


def test_an_object_without_a_name_gets_one_and_keeps_it() -> None:
    named = completed({"data": {"a": "1"}})
    name = named["metadata"]["name"]
    assert len(name) == len("files-") + 8
    assert named["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert completed({"data": {"a": "2"}}, named)["metadata"]["name"] == name
    given = {"metadata": {"name": "mine", "annotations": {"a": "b"}}}
    assert completed(given)["metadata"] == {**given["metadata"], "namespace": "default"}
    assert completed({"metadata": UNKNOWN}) == {"metadata": UNKNOWN}


def test_the_namespace_defaults_to_that_of_the_provider() -> None:
    assert completed({})["metadata"]["namespace"] == "default"
    assert completed({}, namespace="pull")["metadata"]["namespace"] == "pull"
    for token in (
        NAMESPACE,
        PRIORITY_CLASS,
        "kubernetes:external-secrets.io/v1:ClusterSecretStore",
    ):
        assert "namespace" not in complete(token, "a", b"seed", {}, {}, {})["metadata"]


@pytest.mark.parametrize(
    ("token", "old", "new"),
    [
        (DEPLOYMENT, {"spec": workload()}, {"spec": {**workload(), "selector": {}}}),
        (CONFIG_MAP, {"data": {"a": "1"}}, {"data": {"a": "2"}}),
        (SECRET, {"data": {"a": "1"}}, {"data": {"a": "2"}}),
        (JOB, {"spec": {"template": {"a": 1}}}, {"spec": {"template": {"a": 2}}}),
        (SERVICE, {"spec": {"clusterIP": "None"}}, {"spec": {"clusterIP": "10.0.0.1"}}),
        (ROLE_BINDING, {"roleRef": {"name": "a"}}, {"roleRef": {"name": "b"}}),
        (NAMESPACE, {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}),
        (EXTERNAL_SECRET, {"metadata": {"namespace": "a"}}, {"metadata": {"namespace": "b"}}),
    ],
)
def test_replacements(token: str, old: Properties, new: Properties) -> None:
    assert any(change.replaces for change in compare(old, new, replace_on(token, new, {})))


@pytest.mark.parametrize(
    ("token", "old", "new", "settings"),
    [
        (DEPLOYMENT, {"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, {}),
        (
            CONFIG_MAP,
            {"data": {"a": "1"}},
            {"data": {"a": "2"}},
            {"enableConfigMapMutable": True},
        ),
        (SERVICE, {"spec": {"type": "ClusterIP"}}, {"spec": {"type": "NodePort"}}, {}),
        (PRIORITY_CLASS, {"value": 1}, {"value": 2}, {}),
        (EXTERNAL_SECRET, {"spec": {"a": 1}}, {"spec": {"a": 2}}, {}),
    ],
)
def test_updates_in_place(
    token: str, old: Properties, new: Properties, settings: Properties
) -> None:
    changes = compare(old, new, replace_on(token, new, settings))
    assert [change.replaces for change in changes] == [False]


def test_an_immutable_config_map_is_always_replaced() -> None:
    mutable = {"enableConfigMapMutable": True}
    assert "data" in replace_on(CONFIG_MAP, {"immutable": True}, mutable)


def test_an_object_that_keeps_its_name_is_deleted_first() -> None:
    given = {"metadata": {"name": "api", "namespace": "pull"}}
    assert keeps_its_name(given, given)
    assert not keeps_its_name(given, {"metadata": {"name": "web", "namespace": "pull"}})
    named = completed({})
    assert not keeps_its_name(named, named)
    release = {"name": "external-secrets", "namespace": "external-secrets"}
    assert not keeps_its_name(release, release)


def test_live_objects_are_reduced_to_the_fields_of_the_program() -> None:
    wanted = {"spec": {"replicas": 2, "containers": [{"image": "a"}]}}
    live = {"spec": {"replicas": 3, "paused": True, "containers": [{"image": "b", "tty": True}]}}
    assert prune(live, wanted) == {"spec": {"replicas": 3, "containers": [{"image": "b"}]}}


def test_another_cluster_replaces_the_provider() -> None:
    def kubeconfig(server: str, user: str) -> Properties:
        return {
            "kubeconfig": f"""
                current-context: c
                clusters:
                  - {{name: a, cluster: {{server: "{server}"}}}}
                  - {{name: b, cluster: {{server: "https://b"}}}}
                contexts:
                  - {{name: c, context: {{cluster: a, user: {user}}}}}
                  - {{name: d, context: {{cluster: b, user: {user}}}}}
            """
        }

    before = kubeconfig("https://1", "me")
    assert config_replacements(before, kubeconfig("https://1", "you")) == ()
    assert config_replacements(before, kubeconfig("https://2", "me")) == ("kubeconfig",)
    assert config_replacements(before, {"kubeconfig": UNKNOWN}) == ("kubeconfig",)
    assert config_replacements(before, {**before, "context": "d"}) == ("context",)
    assert config_replacements({**before, "context": "d"}, {**before, "cluster": "b"}) == ()
    assert config_replacements(before, {**before, "context": UNKNOWN}) == ("context",)
    # A context of the user's own kubeconfig, which the provider does not compare.
    assert config_replacements({"context": "c"}, {"context": "d"}) == ()
    assert config_replacements(before, {"context": "d"}) == ()
    same = {"clusterIdentifier": "a"}
    assert config_replacements({**before, **same}, {"kubeconfig": UNKNOWN, **same}) == ()
    assert config_replacements(same, {"clusterIdentifier": "b"}) == ("clusterIdentifier",)


def test_inputs_are_checked_against_the_sdk_and_custom_resources_only_in_their_metadata() -> None:
    wrong = {"spec": {**workload(), "replicas": "two", "selektor": 1}}
    _, failures = check(wrong, schema_of(DEPLOYMENT).inputs)
    assert sorted(failure.path for failure in failures) == ["spec.replicas", "spec.selektor"]
    custom = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "api", "labls": {}},
        "spec": {"anything": [1]},
    }
    _, failures = check(custom, schema_of(EXTERNAL_SECRET).inputs)
    assert [failure.path for failure in failures] == ["metadata.labls"]


def test_paths_are_inputs_of_the_sdk() -> None:
    for token in (DEPLOYMENT, JOB, CONFIG_MAP, SECRET, SERVICE, ROLE_BINDING, PRIORITY_CLASS):
        model = model_of(token)
        references = (reference.path for reference in model.references)
        paths = (*references, *model.immutable, *replace_on(token, {}, {}))
        for path in paths:
            shape = schema_of(token).inputs
            for step in path.replace("[]", "").split("."):
                shape = (shape.element or shape).fields[step]


# -- Through the engine ----------------------------------------------------------------------------


Metadata = kubernetes.meta.v1.ObjectMetaArgsDict


def cluster() -> kubernetes.Provider:
    return kubernetes.Provider("cluster", kubeconfig="{}")


def api(selected: str = "api", replicas: int = 2) -> None:
    """A namespace with a workload that serves an API."""
    provider = cluster()
    namespace = kubernetes.core.v1.Namespace("pull", metadata={"name": "pull"}, opts=on(provider))
    metadata: Metadata = {
        "name": "api",
        "namespace": namespace.metadata.name,
        "annotations": {"pulumi.com/patchForce": "true"},
    }
    account = kubernetes.core.v1.ServiceAccount("account", metadata=metadata, opts=on(provider))
    files = kubernetes.core.v1.ConfigMap(
        "files",
        metadata={"namespace": namespace.metadata.name},
        data={"selected": selected},
        opts=on(provider),
    )
    labels = {"app": selected}
    deployment = kubernetes.apps.v1.Deployment(
        "api",
        metadata=metadata,
        spec={
            "replicas": replicas,
            "selector": {"match_labels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "service_account_name": account.metadata.name,
                    "containers": [
                        {
                            "name": "api",
                            "image": "api:1",
                            "env_from": [{"config_map_ref": {"name": files.metadata.name}}],
                        }
                    ],
                },
            },
        },
        opts=on(provider),
    )
    kubernetes.apiextensions.CustomResource(
        "secret",
        api_version="external-secrets.io/v1",
        kind="ExternalSecret",
        metadata=metadata,
        spec={"target": {"name": "api"}},
        opts=on(provider),
    )
    pulumi.export("uid", deployment.metadata.uid)


def test_the_lifecycle_of_a_workload(tmp_path: Path) -> None:
    with estate(tmp_path) as stack:
        stack.program = api
        assert stack.preview() == stack.up() == {"create": 7}
        uid = stack.outputs()["uid"].value
        assert stack.up() == {"same": 7}
        assert stack.refresh() == {"same": 7}

        with by_hand(tmp_path) as cloud:
            (deployment,) = (
                resource for resource in cloud.resources() if resource.type == DEPLOYMENT
            )
            cloud.edit(deployment, "spec.replicas", 9)
        assert stack.refresh() == {"same": 6, "update": 1}
        assert stack.differences() == {"api.spec.replicas": "update"}
        assert stack.up() == {"same": 6, "update": 1}

        # A changed config map gets a new name, so the workload that reads it changes too.
        stack.program = lambda: api(selected="web")
        assert stack.differences()["api.spec.selector.matchLabels.app"] == "update-replace"
        assert stack.up() == {"same": 5, "replace": 2}
        assert stack.outputs()["uid"].value != uid
        assert stack.destroy() == {"delete": 7}
        with by_hand(tmp_path) as cloud:
            assert made(cloud) == []


def test_a_collision_names_the_existing_object(tmp_path: Path) -> None:
    def program() -> None:
        provider = cluster()
        for name in ("one", "two"):
            metadata: Metadata = {"name": "same", "namespace": "default"}
            kubernetes.core.v1.ConfigMap(name, metadata=metadata, opts=on(provider))

    with estate(tmp_path) as stack:
        stack.program = program
        stack.preview()
        with pytest.raises(automation.CommandError, match=r"ConfigMap default/same already exists"):
            stack.up()


def test_an_autopilot_cluster(tmp_path: Path) -> None:
    location, release = "us-central1", "REGULAR"

    def program() -> None:
        provider = gcp.Provider("google", project="pull-test", region="us-central1")
        network = gcp.compute.Network("network", name="main", opts=on(provider))
        made = gcp.container.Cluster(
            "cluster",
            name="pull",
            location=location,
            network=network.id,
            enable_autopilot=True,
            deletion_protection=False,
            release_channel={"channel": release},
            private_cluster_config={"enable_private_nodes": True},
            opts=on(provider),
        )
        pulumi.export("endpoint", made.endpoint)
        pulumi.export("authority", made.master_auth.cluster_ca_certificate)

    with estate(tmp_path) as stack:
        stack.program = program
        assert stack.up() == {"create": 4}
        assert stack.outputs()["endpoint"].value
        assert stack.outputs()["authority"].value
        assert stack.refresh() == {"same": 4}
        assert stack.up() == {"same": 4}
        release = "STABLE"
        assert stack.up() == {"same": 3, "update": 1}
        location = "europe-west1"
        assert stack.differences()["cluster.location"] == "update-replace"
        with by_hand(tmp_path) as cloud:
            assert [
                resource.id
                for resource in cloud.resources()
                if resource.type == resource_types.gcp.GKE_CLUSTER
            ] == ["projects/pull-test/locations/us-central1/clusters/pull"]
