"""The cloud stores resources, generates realistic outputs, and rejects what real clouds reject."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from resource_types import RESOURCE_TYPES, cloudflare, gcp, pulumi_random, vercel
from sandbox.cloud import ApiError, Cloud
from sandbox.models import MODELS
from sandbox.schema import schema_of
from sandbox.store import FILE_NAME, Record
from sandbox.values import Properties, is_secret, reveal, secret
from tests.console import enable_apis, made
from tests.test_resource_types import types_of_the_estate

# The SDKs warn about deprecated names while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of")

SETTINGS = {"project": "pull-test", "region": "us-central1"}
NUMBER = "projects/pull-test/locations/us-central1"
APIS = (
    *("artifactregistry", "cloudkms", "cloudresourcemanager", "compute", "container", "dns", "iam"),
    *("pubsub", "redis", "run", "secretmanager", "servicenetworking", "sqladmin", "storage"),
    "vpcaccess",
)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    enable_apis(tmp_path, "pull-test", *APIS)
    cloud = Cloud(tmp_path)
    yield cloud
    cloud.close()


def make(cloud: Cloud, token: str, **inputs: Any) -> Record:
    return cloud.create(f"urn:{token}::{len(cloud.resources())}", token, inputs, SETTINGS)


def network(cloud: Cloud) -> Record:
    return make(cloud, gcp.NETWORK, name="main", autoCreateSubnetworks=False)


def peered_network(cloud: Cloud) -> Record:
    main = network(cloud)
    make(cloud, gcp.GLOBAL_ADDRESS, name="range", network=main.id)
    make(
        cloud,
        gcp.SERVICE_NETWORKING_CONNECTION,
        network=main.id,
        service="servicenetworking.googleapis.com",
        reservedPeeringRanges=["range"],
    )
    return main


def sql(cloud: Cloud, name: str = "pg", **inputs: Any) -> Record:
    settings = {"tier": "db-custom-2-7680", "edition": "ENTERPRISE", **inputs.pop("settings", {})}
    inputs = {"deletionProtection": False, **inputs}
    return make(
        cloud,
        gcp.SQL_INSTANCE,
        name=name,
        databaseVersion="POSTGRES_16",
        settings=settings,
        **inputs,
    )


def service(name: str = "api", **inputs: Any) -> Properties:
    limits = {"cpu": "4", "memory": "4Gi"}
    template = {"containers": [{"image": "i", "resources": {"limits": limits}}]}
    return {"name": name, "location": "us-central1", "template": template, **inputs}


def test_models_use_inputs_and_outputs_of_the_sdks() -> None:
    for token, model in MODELS.items():
        schema = schema_of(token)
        assert model.outputs.keys() <= schema.outputs.fields.keys(), token
        references = (reference.path for reference in model.references)
        for path in (*references, *RESOURCE_TYPES[token].deletion_locks):
            shape = schema.inputs
            for step in path.replace("[]", "").split("."):
                shape = (shape.element or shape).fields[step]


def test_every_type_of_the_estate_has_a_model() -> None:
    missing = [
        f"{token} has no ResourceModel. Add it to MODELS in a module of sandbox/models/ for the "
        f"provider {token.partition(':')[0]}."
        for token in sorted(types_of_the_estate() - MODELS.keys())
        if not token.startswith("kubernetes:")  # sandbox/models/kubernetes.py models every type
    ]
    assert not missing, "\n".join(missing)


def test_resources_persist_when_the_file_is_reopened(tmp_path: Path) -> None:
    enable_apis(tmp_path, "pull-test", "compute")
    first = Cloud(tmp_path)
    main = network(first)
    first.close()
    again = Cloud(tmp_path)
    assert again.read(gcp.NETWORK, main.id) == main
    again.close()
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_outputs_are_realistic(cloud: Cloud) -> None:
    main = peered_network(cloud)
    assert main.id == "projects/pull-test/global/networks/main"
    assert main.outputs["selfLink"] == f"https://www.googleapis.com/compute/v1/{main.id}"

    private = {"ipConfiguration": {"privateNetwork": main.outputs["selfLink"]}}
    postgres = sql(cloud, settings=private, rootPassword=secret("hidden"))
    assert postgres.outputs["connectionName"] == "pull-test:us-central1:pg"
    assert postgres.outputs["privateIpAddress"].startswith("10.")
    assert "publicIpAddress" not in postgres.outputs or not postgres.outputs["publicIpAddress"]
    assert is_secret(postgres.outputs["serverCaCerts"])
    assert "NOT+A+CERTIFICATE" in reveal(postgres.outputs["serverCaCerts"])[0]["cert"]
    assert is_secret(postgres.outputs["rootPassword"])
    assert "hidden" not in str(postgres.summary())

    account = make(cloud, gcp.SERVICE_ACCOUNT, accountId="worker")
    assert account.outputs["email"] == "worker@pull-test.iam.gserviceaccount.com"
    assert account.outputs["member"] == "serviceAccount:worker@pull-test.iam.gserviceaccount.com"

    run = make(cloud, gcp.RUN_SERVICE, **service())
    assert run.outputs["uri"].startswith("https://api-")
    assert run.outputs["uri"].endswith(".us-central1.run.app")
    assert run.outputs["latestReadyRevision"].startswith(f"{run.id}/revisions/api-00001-")

    redis = make(
        cloud,
        gcp.REDIS_INSTANCE,
        name="r",
        memorySizeGb=5,
        authEnabled=True,
        transitEncryptionMode="SERVER_AUTHENTICATION",
    )
    assert redis.outputs["port"] == 6378
    assert is_secret(redis.outputs["authString"])
    bucket = make(cloud, gcp.BUCKET, name="pull-backups", location="us-central1")
    assert (bucket.id, bucket.outputs["url"]) == ("pull-backups", "gs://pull-backups")
    assert bucket.outputs["location"] == "US-CENTRAL1"

    worker = make(cloud, cloudflare.WORKER, accountId="a", name="pull-api")
    assert len(worker.id) == 32
    assert int(worker.id, 16) >= 0
    version = make(cloud, cloudflare.WORKER_VERSION, accountId="a", workerId=worker.id)
    assert (version.id[14], version.outputs["number"]) == ("4", 1)
    assert make(cloud, vercel.PROJECT, name="web").id.startswith("prj_")


def test_random_values_differ_and_persist(cloud: Cloud) -> None:
    token = pulumi_random.RANDOM_PASSWORD
    inputs = {"length": 24, "special": False, "minNumeric": 4}
    first, second = make(cloud, token, **inputs), make(cloud, token, **inputs)
    password = reveal(first.outputs["result"])
    assert len(password) == 24
    assert password.isalnum()
    assert sum(character.isdigit() for character in password) >= 4
    assert password != reveal(second.outputs["result"])
    assert is_secret(first.outputs["result"])
    updated = cloud.update(token, first.id, inputs, SETTINGS)
    assert updated.outputs["result"] == first.outputs["result"]
    number = make(cloud, pulumi_random.RANDOM_ID, byteLength=4, prefix="p-")
    assert number.outputs["dec"] == f"p-{int(number.outputs['hex'].removeprefix('p-'), 16)}"


def test_a_name_is_unique_within_its_scope(cloud: Cloud) -> None:
    network(cloud)
    with pytest.raises(ApiError, match=r"409: gcp:compute/network:Network .*/main already exists"):
        network(cloud)
    bucket = {"name": "pull-assets", "location": "us-central1"}
    make(cloud, gcp.BUCKET, **bucket)
    make(cloud, gcp.PROJECT_SERVICE, project="other-test", service="storage.googleapis.com")
    with pytest.raises(ApiError, match="409"):  # bucket names are global
        cloud.create("u", gcp.BUCKET, bucket, {"project": "other-test"})
    make(cloud, cloudflare.R2_BUCKET, accountId="a", name="pull-assets")
    make(cloud, cloudflare.R2_BUCKET, accountId="b", name="pull-assets")
    with pytest.raises(ApiError, match="409"):
        make(cloud, cloudflare.R2_BUCKET, accountId="a", name="pull-assets")
    record = {"zoneId": "z", "name": "api", "type": "A", "ttl": 1}
    make(cloud, cloudflare.DNS_RECORD, **record, content="192.0.2.1")
    make(cloud, cloudflare.DNS_RECORD, **record, content="192.0.2.2")
    with pytest.raises(ApiError, match="409"):
        make(cloud, cloudflare.DNS_RECORD, **record, content="192.0.2.2")
    alias = {**record, "type": "CNAME", "content": "pull.com"}
    with pytest.raises(ApiError, match=r"409: .*CNAME/pull.com cannot exist next to .*A/192"):
        make(cloud, cloudflare.DNS_RECORD, **alias)
    make(cloud, cloudflare.DNS_RECORD, **{**alias, "name": "web"})


def test_a_grant_can_be_created_twice(cloud: Cloud) -> None:
    make(cloud, gcp.BUCKET, name="pull-backups", location="us")
    grant = {
        "bucket": "pull-backups",
        "role": "roles/storage.objectViewer",
        "member": "user:a@example.com",
    }
    first = make(cloud, gcp.BUCKET_IAM.member, **grant)
    second = make(cloud, gcp.BUCKET_IAM.member, **grant)
    assert first.id == second.id == "b/pull-backups/roles/storage.objectViewer/user:a@example.com"
    assert len(made(cloud)) == 2


def test_a_resource_in_use_cannot_be_deleted(cloud: Cloud) -> None:
    main = peered_network(cloud)
    subnet = make(cloud, gcp.SUBNETWORK, name="s", network="main", ipCidrRange="10.0.0.0/20")
    private = {"ipConfiguration": {"privateNetwork": main.id}}
    postgres = sql(cloud, settings=private)
    make(cloud, gcp.VPC_CONNECTOR, name="c", subnet={"name": "s"})
    for token, identity, user in (
        (gcp.NETWORK, main.id, "Subnetwork"),
        (gcp.SUBNETWORK, subnet.id, "Connector"),
        (
            gcp.SERVICE_NETWORKING_CONNECTION,
            f"{main.id}:servicenetworking.googleapis.com",
            "DatabaseInstance",
        ),
    ):
        with pytest.raises(ApiError, match=f"400: {token} .* is in use by .*{user}"):
            cloud.delete(token, identity, {})
    make(cloud, gcp.SQL_USER, instance="pg", name="pull")
    cloud.delete(gcp.SQL_INSTANCE, postgres.id, {})
    peering = cloud.read(
        gcp.SERVICE_NETWORKING_CONNECTION, f"{main.id}:servicenetworking.googleapis.com"
    )
    assert peering is not None
    with pytest.raises(ApiError, match=r"400: .* producers still use it, such as .*/pg"):
        cloud.delete(gcp.SERVICE_NETWORKING_CONNECTION, peering.id, {})
    removing = {**peering.inputs, "deletionPolicy": "REMOVE_PEERING"}
    cloud.update(gcp.SERVICE_NETWORKING_CONNECTION, peering.id, removing, SETTINGS)
    cloud.delete(gcp.SERVICE_NETWORKING_CONNECTION, peering.id, {})
    assert not [record for record in made(cloud) if record.type.startswith("gcp:sql")]


def test_a_reference_must_exist(cloud: Cloud) -> None:
    reference = {"secretKeyRef": {"secret": "CONVEX_URL", "version": "latest"}}
    container = {"image": "i", "envs": [{"name": "CONVEX_URL", "valueSource": reference}]}
    wanted = service(template={"containers": [container]})
    with pytest.raises(ApiError, match=r"404: .*envs\[0\]\.valueSource.*'CONVEX_URL'"):
        make(cloud, gcp.RUN_SERVICE, **wanted)
    url = make(cloud, gcp.SECRET, secretId="CONVEX_URL", replication={"auto": {}})
    with pytest.raises(ApiError, match=r"403: .*-compute@developer.* needs .*secretAccessor"):
        make(cloud, gcp.RUN_SERVICE, **wanted)
    worker = make(cloud, gcp.SERVICE_ACCOUNT, accountId="worker")
    grant = {"secretId": "CONVEX_URL", "role": "roles/secretmanager.secretAccessor"}
    make(cloud, gcp.SECRET_IAM.member, **grant, member=worker.outputs["member"])
    wanted["template"]["serviceAccount"] = worker.outputs["email"]
    make(cloud, gcp.RUN_SERVICE, **wanted)
    for used in (url, worker):
        with pytest.raises(ApiError, match=r"400: .* is in use by .*services/api"):
            cloud.delete(used.type, used.id, {})
    with pytest.raises(ApiError, match=r"404: .*privateNetwork.*Connection"):
        sql(cloud, settings={"ipConfiguration": {"privateNetwork": network(cloud).id}})


def test_a_resource_needs_its_api_enabled(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path)
    with pytest.raises(
        ApiError, match=r"403: SERVICE_DISABLED: sqladmin.googleapis.com .* pull-test"
    ):
        sql(cloud)
    api = make(cloud, gcp.PROJECT_SERVICE, project="pull-test", service="sqladmin.googleapis.com")
    sql(cloud)
    with pytest.raises(ApiError, match="404"):  # a service agent needs the API too
        make(cloud, gcp.SERVICE_IDENTITY, project="pull-test", service="redis.googleapis.com")

    # An API stays enabled when its resource is deleted, unless disableOnDestroy is set.
    cloud.delete(gcp.PROJECT_SERVICE, api.id, {})
    assert (cloud.ids_of(api.urn), len(cloud.resources())) == ([], 2)
    disabling = {
        "project": "pull-test",
        "service": "sqladmin.googleapis.com",
        "disableOnDestroy": True,
    }
    make(cloud, gcp.PROJECT_SERVICE, **disabling)
    with pytest.raises(ApiError, match=r"400: .* is in use by .*instances/pg"):
        cloud.delete(gcp.PROJECT_SERVICE, api.id, {})
    cloud.delete(gcp.SQL_INSTANCE, "pg", {})
    cloud.delete(gcp.PROJECT_SERVICE, api.id, {})
    assert cloud.resources() == []
    cloud.close()


ENCRYPTED: list[tuple[str, str, str, Properties]] = [
    (gcp.SQL_INSTANCE, "sqladmin", "us-central1", {"encryptionKeyName": "KEY"}),
    (gcp.BUCKET, "storage", "us", {"encryption": {"defaultKmsKeyName": "KEY"}}),
    (
        gcp.SECRET,
        "secretmanager",
        "global",
        {"replication": {"auto": {"customerManagedEncryption": {"kmsKeyName": "KEY"}}}},
    ),
    (gcp.REPOSITORY, "artifactregistry", "us", {"kmsKeyName": "KEY"}),
    (
        gcp.GKE_CLUSTER,
        "container",
        "us-central1",
        {"databaseEncryption": {"state": "ENCRYPTED", "keyName": "KEY"}},
    ),
    (gcp.REDIS_INSTANCE, "redis", "us-central1", {"customerManagedKey": "KEY"}),
]
"""Type, the service whose agent needs the key, the key's location, and the inputs with the key."""

PLAIN: Properties = {
    "name": "pull-one",
    "secretId": "one",
    "repositoryId": "one",
    "databaseVersion": "POSTGRES_16",
    "memorySizeGb": 1,
    "format": "DOCKER",
}


@pytest.mark.parametrize(("token", "service", "key_location", "encryption"), ENCRYPTED)
def test_a_key_must_be_in_the_location_and_granted_to_the_service(
    cloud: Cloud, token: str, service: str, key_location: str, encryption: Properties
) -> None:
    location = "us" if key_location == "us" else "us-central1"
    plain = {**PLAIN, "location": location, "region": location}
    inputs = {
        name: value for name, value in plain.items() if name in schema_of(token).inputs.fields
    }

    def wanted(key: Record) -> Properties:
        text = json.dumps({**inputs, **encryption}).replace("KEY", key.id)
        with_key: Properties = json.loads(text)
        return with_key

    keys = {}
    for location in (key_location, "europe-west1"):
        ring = make(cloud, gcp.KEY_RING, name="ring", location=location)
        keys[location] = make(cloud, gcp.CRYPTO_KEY, name="key", keyRing=ring.id)
    key = keys[key_location]
    if service == "storage":
        agent = "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com"
    else:
        identity = {"project": "pull-test", "service": f"{service}.googleapis.com"}
        agent = make(cloud, gcp.SERVICE_IDENTITY, **identity).outputs["member"]
    with pytest.raises(ApiError, match=r"403: .*:service-.* needs .*Decrypter on .*/key"):
        make(cloud, token, **wanted(key))
    grant = {"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "member": agent}
    for granted in keys.values():
        make(cloud, gcp.CRYPTO_KEY_IAM.member, cryptoKeyId=granted.id, **grant)
    with pytest.raises(ApiError, match=r"data in .* needs a key in"):
        make(cloud, token, **wanted(keys["europe-west1"]))
    make(cloud, token, **wanted(key))


@pytest.mark.parametrize(
    "member",
    [
        "serviceAccount:nobody@pull-test.iam.gserviceaccount.com",
        "serviceAccount:service-1@gcp-sa-secretmanager.iam.gserviceaccount.com",
        "principalSet://iam.googleapis.com/projects/1/locations/global"
        "/workloadIdentityPools/none/attribute.job/x",
    ],
)
def test_the_member_of_a_grant_must_exist(cloud: Cloud, member: str) -> None:
    make(cloud, gcp.TOPIC, name="topic")
    grant = {"topic": "topic", "role": "roles/pubsub.publisher"}
    with pytest.raises(ApiError, match=r"404: .*: member refers to .* which does not exist"):
        make(cloud, gcp.TOPIC_IAM.member, **grant, member=member)


def test_a_secret_publishes_rotations_only_to_a_topic_that_its_service_may_use(
    cloud: Cloud,
) -> None:
    topic = make(cloud, gcp.TOPIC, name="topic")
    secret = {"secretId": "s", "replication": {"auto": {}}, "topics": [{"name": topic.id}]}
    with pytest.raises(
        ApiError, match=r"403: .*gcp-sa-secretmanager.* needs roles/pubsub.publisher"
    ):
        make(cloud, gcp.SECRET, **secret)
    identity = {"project": "pull-test", "service": "secretmanager.googleapis.com"}
    agent = make(cloud, gcp.SERVICE_IDENTITY, **identity).outputs["member"]
    grant = {"topic": "topic", "role": "roles/pubsub.publisher"}
    make(cloud, gcp.TOPIC_IAM.member, **grant, member=agent)
    make(cloud, gcp.SECRET, **secret)
    with pytest.raises(ApiError, match=r"is in use by .*secrets/s"):
        cloud.delete(gcp.TOPIC, topic.id, {})


def test_names_that_stay_reserved(cloud: Cloud) -> None:
    cloud.delete(gcp.SQL_INSTANCE, sql(cloud).id, {})
    assert made(cloud) == []
    with pytest.raises(ApiError, match=r"409: .*pg was deleted recently"):
        sql(cloud)
    ring = make(cloud, gcp.KEY_RING, name="ring", location="us-central1")
    key = make(cloud, gcp.CRYPTO_KEY, name="key", keyRing=ring.id)
    cloud.delete(gcp.CRYPTO_KEY, key.id, {})
    cloud.delete(gcp.KEY_RING, ring.id, {})
    assert [record.id for record in made(cloud)] == [key.id, ring.id]
    assert cloud.ids_of(ring.urn) == []
    with pytest.raises(ApiError, match=r"409: .* already exists"):
        make(cloud, gcp.KEY_RING, name="ring", location="us-central1")
    with pytest.raises(ApiError, match=r"409: .* already exists"):
        make(cloud, gcp.CRYPTO_KEY, name="key", keyRing=ring.id)


def test_protection_forbids_deletion(cloud: Cloud) -> None:
    run = make(cloud, gcp.RUN_SERVICE, **service())  # protected by default
    with pytest.raises(ApiError, match=r"403: .* is protected: set deletionProtection to false"):
        cloud.delete(gcp.RUN_SERVICE, run.id, {})
    # The state decides: the property is no field of Google's APIs.
    cloud.delete(gcp.RUN_SERVICE, run.id, {"deletionProtection": False})
    held = sql(cloud, settings={"deletionProtectionEnabled": True})
    with pytest.raises(ApiError, match=r"403: .*settings\.deletionProtectionEnabled"):
        cloud.delete(gcp.SQL_INSTANCE, held.id, {})


def test_cloud_run_keeps_its_revisions(cloud: Cloud) -> None:
    def put(revision: str, image: str, *shares: tuple[str, int]) -> Record:
        template = {"revision": revision, "containers": [{"image": image}]}
        traffics = [{"revision": name, "percent": percent} for name, percent in shares]
        wanted = service(template=template, traffics=traffics)
        if made(cloud):
            return cloud.update(gcp.RUN_SERVICE, f"{NUMBER}/services/api", wanted, SETTINGS)
        return make(cloud, gcp.RUN_SERVICE, **wanted)

    with pytest.raises(ApiError, match="there is no revision 'api-0'"):
        put("api-1", "a", ("api-0", 100))
    put("api-1", "a", ("api-1", 100))
    canary = put("api-2", "b", ("api-1", 90), ("api-2", 10))
    assert canary.outputs["latestReadyRevision"].endswith("/revisions/api-2")
    with pytest.raises(ApiError, match=r"409: .*api-1 already exists with another template"):
        put("api-1", "c", ("api-1", 100))
    with pytest.raises(ApiError, match="sum to 105"):
        put("api-2", "b", ("api-1", 95), ("api-2", 10))
    with pytest.raises(ApiError, match="must start with api-"):
        put("web-1", "c", ("api-1", 100))
    put("api-1", "a", ("api-1", 100))


def test_secret_versions_have_unique_numbers(cloud: Cloud) -> None:
    parent = make(cloud, gcp.SECRET, secretId="s", replication={"auto": {}})

    def add() -> Record:
        return make(cloud, gcp.SECRET_VERSION, secret=parent.outputs["name"], secretData="x")

    first, second = add(), add()
    assert [first.outputs["version"], second.outputs["version"]] == ["1", "2"]
    assert second.id.endswith("/secrets/s/versions/2")
    cloud.delete(gcp.SECRET_VERSION, second.id, {})
    assert add().outputs["version"] == "3"


def test_worker_versions_outlive_their_resources(cloud: Cloud) -> None:
    worker = make(cloud, cloudflare.WORKER, accountId="a", name="pull-api")
    old = make(cloud, cloudflare.WORKER_VERSION, accountId="a", workerId=worker.id)
    new = make(cloud, cloudflare.WORKER_VERSION, accountId="a", workerId=worker.id)
    cloud.delete(cloudflare.WORKER_VERSION, old.id, {})

    def deploy(*shares: tuple[str, int]) -> Record:
        return make(
            cloud,
            cloudflare.WORKERS_DEPLOYMENT,
            accountId="a",
            scriptName="pull-api",
            strategy="percentage",
            versions=[{"versionId": name, "percentage": percent} for name, percent in shares],
        )

    deploy((old.id, 90), (new.id, 10))
    with pytest.raises(ApiError, match="sum to 105"):
        deploy((old.id, 95), (new.id, 10))
    with pytest.raises(ApiError, match="404"):
        deploy(("00000000-0000-4000-8000-000000000000", 100))
    assert cloud.ids_of(old.urn) == []
    route = make(
        cloud,
        cloudflare.WORKERS_ROUTE,
        zoneId="z",
        pattern="api.pull.com/*",
        script="pull-api",
    )
    with pytest.raises(ApiError, match=r"is in use by .*WorkersRoute"):
        cloud.delete(cloudflare.WORKER, worker.id, {})
    cloud.delete(route.type, route.id, {})
    cloud.delete(cloudflare.WORKER, worker.id, {})
    assert made(cloud) == []


@pytest.mark.parametrize(
    ("token", "inputs", "reason"),
    [
        (gcp.BUCKET, {"name": "has space", "location": "us"}, "3 to 63 of a-z"),
        (cloudflare.R2_BUCKET, {"accountId": "a", "name": "Pull_Assets"}, "3 to 63 of a-z"),
        (gcp.NETWORK, {"name": "Main"}, "starting with a letter"),
        (
            cloudflare.DNS_RECORD,
            {"zoneId": "z", "name": "n", "type": "A", "content": "192.0.2.1", "ttl": 5},
            "30 to 86400",
        ),
        (gcp.VPC_CONNECTOR, {"name": "c", "ipCidrRange": "10.8.0.0/24"}, "/28 to /28"),
        (
            gcp.SERVICE_IDENTITY,
            {"project": "pull-test", "service": "storage.googleapis.com"},
            "gcloud storage service-agent",
        ),
        (
            gcp.RUN_SERVICE,
            service(scaling={"minInstanceCount": 5, "maxInstanceCount": 2}),
            "at most maxInstanceCount",
        ),
    ],
)
def test_the_cloud_rejects_what_a_preview_accepts(
    cloud: Cloud, token: str, inputs: Properties, reason: str
) -> None:
    with pytest.raises(ApiError, match=reason):
        make(cloud, token, **inputs)
    assert made(cloud) == []


@pytest.mark.parametrize(
    ("cpu", "memory", "reason"),
    [
        ("3", "4Gi", "1, 2, 4, 6, 8"),
        ("4", "64Gi", "2 to 16 GiB"),
        ("4", "1Gi", "2 to 16 GiB"),
        ("500m", "2Gi", "up to 1 GiB"),
        ("four", "4Gi", "CPU such as"),
    ],
)
def test_cloud_run_rejects_sizes_that_do_not_exist(
    cloud: Cloud, cpu: str, memory: str, reason: str
) -> None:
    container = {"image": "i", "resources": {"limits": {"cpu": cpu, "memory": memory}}}
    with pytest.raises(ApiError, match=reason):
        make(cloud, gcp.RUN_SERVICE, **service(template={"containers": [container]}))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"tier": "db-custom-4-x"}, "expected a machine tier"),
        ({"tier": "db-custom-3-7680"}, "even number of vCPUs"),
        ({"tier": "db-custom-2-4000"}, "steps of 256 MiB"),
        ({"edition": "ENTERPRISE_PLUS"}, "in the edition ENTERPRISE_PLUS"),
        ({"backupConfiguration": {"startTime": "3am"}}, "hours and minutes"),
        ({"ipConfiguration": {"sslMode": "STRICT"}}, "ENCRYPTED_ONLY"),
    ],
)
def test_cloud_sql_rejects_settings_that_do_not_exist(
    cloud: Cloud, settings: Properties, reason: str
) -> None:
    with pytest.raises(ApiError, match=reason):
        sql(cloud, settings=settings)


def test_concurrent_threads_create_each_resource_once(cloud: Cloud) -> None:
    parent = make(cloud, gcp.SECRET, secretId="s", replication={"auto": {}})

    def add(_: int) -> str:
        version = make(cloud, gcp.SECRET_VERSION, secret=parent.id, secretData="x")
        return str(version.outputs["version"])

    def claim(_: int) -> bool:
        try:
            return bool(make(cloud, gcp.TOPIC, name="contested"))
        except ApiError:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sorted(map(int, threads.map(add, range(40)))) == list(range(1, 41))
        assert sum(threads.map(claim, range(40))) == 1


def test_types_without_a_model_get_the_default(cloud: Cloud) -> None:
    zone = make(cloud, gcp.DNS_ZONE, name="zone", dnsName="pull.com.")
    assert zone.id == "pull-test/us-central1/zone"
    with pytest.raises(ApiError, match="409"):
        make(cloud, gcp.DNS_ZONE, name="zone", dnsName="pull.com.")
