"""The cloud remembers, makes things up that look real, and refuses what real clouds refuse."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sandbox import catalogue
from sandbox.cloud import FILE_NAME, Cloud, Record, Refusal
from sandbox.schema import schema_of
from sandbox.values import Properties, is_secret, reveal, secret
from tests.console import enable_apis, made

# The SDKs warn of old names while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of")

SETTINGS = {"project": "pull", "region": "us-central1"}
NUMBER = "projects/pull/locations/us-central1"
APIS = (
    *("artifactregistry", "cloudkms", "cloudresourcemanager", "compute", "container", "dns", "iam"),
    *("pubsub", "redis", "run", "secretmanager", "servicenetworking", "sqladmin", "storage"),
    "vpcaccess",
)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    enable_apis(tmp_path, "pull", *APIS)
    cloud = Cloud(tmp_path)
    yield cloud
    cloud.close()


REDIS = "gcp:redis/instance:Instance"


def make(cloud: Cloud, token: str, **inputs: Any) -> Record:
    return cloud.create(f"urn:{token}::{len(cloud.resources())}", token, inputs, SETTINGS)


def network(cloud: Cloud) -> Record:
    return make(cloud, catalogue.NETWORK, name="main", autoCreateSubnetworks=False)


def peered_network(cloud: Cloud) -> Record:
    main = network(cloud)
    make(cloud, catalogue.GLOBAL_ADDRESS, name="range", network=main.id)
    make(
        cloud,
        catalogue.PEERING,
        network=main.id,
        service="servicenetworking.googleapis.com",
        reservedPeeringRanges=["range"],
    )
    return main


def sql(cloud: Cloud, name: str = "pg", **inputs: Any) -> Record:
    settings = {"tier": "db-custom-2-7680", "edition": "ENTERPRISE", **inputs.pop("settings", {})}
    inputs = {"deletionProtection": False, **inputs}
    return make(
        cloud, catalogue.SQL, name=name, databaseVersion="POSTGRES_16", settings=settings, **inputs
    )


def service(name: str = "api", **inputs: Any) -> Properties:
    limits = {"cpu": "4", "memory": "4Gi"}
    template = {"containers": [{"image": "i", "resources": {"limits": limits}}]}
    return {"name": name, "location": "us-central1", "template": template, **inputs}


def test_the_table_speaks_of_what_the_sdks_have() -> None:
    for token, kind in catalogue.MODELS.items():
        schema = schema_of(token)
        assert kind.outputs.keys() <= schema.outputs.keys(), token
        for path in (*(use.path for use in kind.uses), *kind.protections):
            place = schema.inputs
            for step in path.replace("[]", "").split("."):
                place = (place.element or place).fields[step]


def test_things_are_still_there_when_it_opens_again(tmp_path: Path) -> None:
    enable_apis(tmp_path, "pull", "compute")
    first = Cloud(tmp_path)
    main = network(first)
    first.close()
    again = Cloud(tmp_path)
    assert again.read(catalogue.NETWORK, main.id) == main
    again.close()
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_outputs_look_real(cloud: Cloud) -> None:
    main = peered_network(cloud)
    assert main.id == "projects/pull/global/networks/main"
    assert main.outputs["selfLink"] == f"https://www.googleapis.com/compute/v1/{main.id}"

    private = {"ipConfiguration": {"privateNetwork": main.outputs["selfLink"]}}
    postgres = sql(cloud, settings=private, rootPassword=secret("hidden"))
    assert postgres.outputs["connectionName"] == "pull:us-central1:pg"
    assert postgres.outputs["privateIpAddress"].startswith("10.")
    assert "publicIpAddress" not in postgres.outputs or not postgres.outputs["publicIpAddress"]
    assert is_secret(postgres.outputs["serverCaCerts"])
    assert "NOT+A+CERTIFICATE" in reveal(postgres.outputs["serverCaCerts"])[0]["cert"]
    assert is_secret(postgres.outputs["rootPassword"])
    assert "hidden" not in str(postgres.summary())

    account = make(cloud, catalogue.ACCOUNT, accountId="worker")
    assert account.outputs["email"] == "worker@pull.iam.gserviceaccount.com"
    assert account.outputs["member"] == "serviceAccount:worker@pull.iam.gserviceaccount.com"

    run = make(cloud, catalogue.RUN_SERVICE, **service())
    assert run.outputs["uri"].startswith("https://api-")
    assert run.outputs["uri"].endswith(".us-central1.run.app")
    assert run.outputs["latestReadyRevision"].startswith(f"{run.id}/revisions/api-00001-")

    redis = make(
        cloud,
        REDIS,
        name="r",
        memorySizeGb=5,
        authEnabled=True,
        transitEncryptionMode="SERVER_AUTHENTICATION",
    )
    assert redis.outputs["port"] == 6378
    assert is_secret(redis.outputs["authString"])
    bucket = make(cloud, catalogue.BUCKET, name="pull-backups", location="us-central1")
    assert (bucket.id, bucket.outputs["url"]) == ("pull-backups", "gs://pull-backups")
    assert bucket.outputs["location"] == "US-CENTRAL1"

    worker = make(cloud, catalogue.WORKER, accountId="a", name="pull-api")
    assert len(worker.id) == 32
    assert int(worker.id, 16) >= 0
    version = make(cloud, catalogue.WORKER_VERSION, accountId="a", workerId=worker.id)
    assert (version.id[14], version.outputs["number"]) == ("4", 1)
    assert make(cloud, catalogue.PROJECT, name="web").id.startswith("prj_")


def test_what_is_random_is_random_and_stays(cloud: Cloud) -> None:
    token = "random:index/randomPassword:RandomPassword"
    wish = {"length": 24, "special": False, "minNumeric": 4}
    one, two = make(cloud, token, **wish), make(cloud, token, **wish)
    password = reveal(one.outputs["result"])
    assert len(password) == 24
    assert password.isalnum()
    assert sum(character.isdigit() for character in password) >= 4
    assert password != reveal(two.outputs["result"])
    assert is_secret(one.outputs["result"])
    assert cloud.update(token, one.id, wish, SETTINGS).outputs["result"] == one.outputs["result"]
    number = make(cloud, "random:index/randomId:RandomId", byteLength=4, prefix="p-")
    assert number.outputs["dec"] == f"p-{int(number.outputs['hex'].removeprefix('p-'), 16)}"


def test_one_name_belongs_to_one_thing(cloud: Cloud) -> None:
    network(cloud)
    with pytest.raises(Refusal, match=r"409: gcp:compute/network:Network .*/main already exists"):
        network(cloud)
    bucket = {"name": "pull-assets", "location": "us-central1"}
    make(cloud, catalogue.BUCKET, **bucket)
    make(cloud, catalogue.SERVICE, project="other", service="storage.googleapis.com")
    with pytest.raises(Refusal, match="409"):  # bucket names are the whole world's
        cloud.create("u", catalogue.BUCKET, bucket, {"project": "other"})
    make(cloud, catalogue.R2_BUCKET, accountId="a", name="pull-assets")
    make(cloud, catalogue.R2_BUCKET, accountId="b", name="pull-assets")
    with pytest.raises(Refusal, match="409"):
        make(cloud, catalogue.R2_BUCKET, accountId="a", name="pull-assets")
    record = {"zoneId": "z", "name": "api", "type": "A", "ttl": 1}
    make(cloud, "cloudflare:index/dnsRecord:DnsRecord", **record, content="192.0.2.1")
    make(cloud, "cloudflare:index/dnsRecord:DnsRecord", **record, content="192.0.2.2")
    with pytest.raises(Refusal, match="409"):
        make(cloud, "cloudflare:index/dnsRecord:DnsRecord", **record, content="192.0.2.2")
    alias = {**record, "type": "CNAME", "content": "pull.com"}
    with pytest.raises(Refusal, match=r"409: .*CNAME/pull.com cannot stand beside .*A/192"):
        make(cloud, "cloudflare:index/dnsRecord:DnsRecord", **alias)
    make(cloud, "cloudflare:index/dnsRecord:DnsRecord", **{**alias, "name": "web"})


def test_a_grant_can_be_made_again(cloud: Cloud) -> None:
    make(cloud, catalogue.BUCKET, name="pull-backups", location="l")
    grant = {"bucket": "pull-backups", "role": "r", "member": "user:a@example.com"}
    first = make(cloud, "gcp:storage/bucketIAMMember:BucketIAMMember", **grant)
    second = make(cloud, "gcp:storage/bucketIAMMember:BucketIAMMember", **grant)
    assert first.id == second.id == "b/pull-backups/r/user:a@example.com"
    assert len(made(cloud)) == 2


def test_what_others_use_cannot_be_deleted(cloud: Cloud) -> None:
    main = peered_network(cloud)
    subnet = make(cloud, catalogue.SUBNETWORK, name="s", network="main", ipCidrRange="10.0.0.0/20")
    private = {"ipConfiguration": {"privateNetwork": main.id}}
    postgres = sql(cloud, settings=private)
    make(cloud, catalogue.CONNECTOR, name="c", subnet={"name": "s"})
    for token, identity, user in (
        (catalogue.NETWORK, main.id, "Subnetwork"),
        (catalogue.SUBNETWORK, subnet.id, "Connector"),
        (catalogue.PEERING, f"{main.id}:servicenetworking.googleapis.com", "DatabaseInstance"),
    ):
        with pytest.raises(Refusal, match=f"400: {token} .* is in use by .*{user}"):
            cloud.delete(token, identity, {})
    make(cloud, "gcp:sql/user:User", instance="pg", name="pull")
    cloud.delete(catalogue.SQL, postgres.id, {})
    peering = cloud.read(catalogue.PEERING, f"{main.id}:servicenetworking.googleapis.com")
    assert peering is not None
    with pytest.raises(Refusal, match=r"400: .* producers still use it, such as .*/pg"):
        cloud.delete(catalogue.PEERING, peering.id, {})
    by_force = {**peering.inputs, "deletionPolicy": "REMOVE_PEERING"}
    cloud.update(catalogue.PEERING, peering.id, by_force, SETTINGS)
    cloud.delete(catalogue.PEERING, peering.id, {})
    assert not [record for record in made(cloud) if record.type.startswith("gcp:sql")]


def test_what_is_named_must_be_there(cloud: Cloud) -> None:
    reference = {"secretKeyRef": {"secret": "CONVEX_URL", "version": "latest"}}
    container = {"image": "i", "envs": [{"name": "CONVEX_URL", "valueSource": reference}]}
    wanted = service(template={"containers": [container]})
    with pytest.raises(Refusal, match=r"404: .*envs\[0\]\.valueSource.*'CONVEX_URL'"):
        make(cloud, catalogue.RUN_SERVICE, **wanted)
    url = make(cloud, catalogue.SECRET, secretId="CONVEX_URL", replication={"auto": {}})
    with pytest.raises(Refusal, match=r"403: .*-compute@developer.* needs .*secretAccessor"):
        make(cloud, catalogue.RUN_SERVICE, **wanted)
    worker = make(cloud, catalogue.ACCOUNT, accountId="worker")
    grant = {"secretId": "CONVEX_URL", "role": "roles/secretmanager.secretAccessor"}
    make(cloud, catalogue.SECRET_GRANT, **grant, member=worker.outputs["member"])
    wanted["template"]["serviceAccount"] = worker.outputs["email"]
    make(cloud, catalogue.RUN_SERVICE, **wanted)
    for used in (url, worker):
        with pytest.raises(Refusal, match=r"400: .* is in use by .*services/api"):
            cloud.delete(used.type, used.id, {})
    with pytest.raises(Refusal, match=r"404: .*privateNetwork.*Connection"):
        sql(cloud, settings={"ipConfiguration": {"privateNetwork": network(cloud).id}})


def test_nothing_is_made_through_an_api_that_is_switched_off(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path)
    with pytest.raises(Refusal, match=r"403: SERVICE_DISABLED: sqladmin.googleapis.com .* pull"):
        sql(cloud)
    api = make(cloud, catalogue.SERVICE, project="pull", service="sqladmin.googleapis.com")
    sql(cloud)
    with pytest.raises(Refusal, match="404"):  # and its agent only where it is on
        make(cloud, catalogue.SERVICE_IDENTITY, project="pull", service="redis.googleapis.com")

    # Whoever lets go of an API leaves it on, unless the program says otherwise.
    cloud.delete(catalogue.SERVICE, api.id, {})
    assert (cloud.ids_of(api.urn), len(cloud.resources())) == ([], 2)
    switched = {"project": "pull", "service": "sqladmin.googleapis.com", "disableOnDestroy": True}
    make(cloud, catalogue.SERVICE, **switched)
    with pytest.raises(Refusal, match=r"400: .* is in use by .*instances/pg"):
        cloud.delete(catalogue.SERVICE, api.id, {})
    cloud.delete(catalogue.SQL, "pg", {})
    cloud.delete(catalogue.SERVICE, api.id, {})
    assert cloud.resources() == []
    cloud.close()


ENCRYPTED: list[tuple[str, str, str, Properties]] = [
    (catalogue.SQL, "sqladmin", "us-central1", {"encryptionKeyName": "KEY"}),
    (catalogue.BUCKET, "storage", "us", {"encryption": {"defaultKmsKeyName": "KEY"}}),
    (
        catalogue.SECRET,
        "secretmanager",
        "global",
        {"replication": {"auto": {"customerManagedEncryption": {"kmsKeyName": "KEY"}}}},
    ),
    (catalogue.REPOSITORY, "artifactregistry", "us", {"kmsKeyName": "KEY"}),
    (catalogue.CLUSTER, "container", "us-central1", {"databaseEncryption": {"keyName": "KEY"}}),
    (REDIS, "redis", "us-central1", {"customerManagedKey": "KEY"}),
]
"""What can be encrypted with a key, the service whose agent needs it, and where the key must be."""

PLAIN: Properties = {
    "name": "pull-one",
    "secretId": "one",
    "repositoryId": "one",
    "databaseVersion": "POSTGRES_16",
    "memorySizeGb": 1,
    "format": "DOCKER",
}


@pytest.mark.parametrize(("token", "service", "place", "wish"), ENCRYPTED)
def test_a_key_must_be_near_and_lent_to_the_service(
    cloud: Cloud, token: str, service: str, place: str, wish: Properties
) -> None:
    location = "US" if place == "us" else "us-central1"
    plain = {**PLAIN, "location": location, "region": location}
    inputs = {
        name: value for name, value in plain.items() if name in schema_of(token).inputs.fields
    }

    def wanted(key: Record) -> Properties:
        asked: Properties = json.loads(json.dumps({**inputs, **wish}).replace("KEY", key.id))
        return asked

    keys = {}
    for where in (place, "europe-west1"):
        ring = make(cloud, catalogue.KEY_RING, name="ring", location=where)
        keys[where] = make(cloud, catalogue.KEY, name="key", keyRing=ring.id)
    key = keys[place]
    if service == "storage":
        agent = "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com"
    else:
        identity = {"project": "pull", "service": f"{service}.googleapis.com"}
        agent = make(cloud, catalogue.SERVICE_IDENTITY, **identity).outputs["member"]
    with pytest.raises(Refusal, match=r"403: .*:service-.* needs .*Decrypter on .*/key"):
        make(cloud, token, **wanted(key))
    lent = {"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "member": agent}
    for one in keys.values():
        make(cloud, catalogue.KEY_GRANT, cryptoKeyId=one.id, **lent)
    with pytest.raises(Refusal, match=r"what is in .* takes a key in"):
        make(cloud, token, **wanted(keys["europe-west1"]))
    make(cloud, token, **wanted(key))


@pytest.mark.parametrize(
    "member",
    [
        "serviceAccount:nobody@pull.iam.gserviceaccount.com",
        "serviceAccount:service-1@gcp-sa-secretmanager.iam.gserviceaccount.com",
        "principalSet://iam.googleapis.com/projects/1/locations/global"
        "/workloadIdentityPools/none/attribute.job/x",
    ],
)
def test_a_role_goes_to_those_who_are_there(cloud: Cloud, member: str) -> None:
    make(cloud, catalogue.TOPIC, name="topic")
    grant = {"topic": "topic", "role": "roles/pubsub.publisher"}
    with pytest.raises(Refusal, match=r"404: .*: member names .* which is not there"):
        make(cloud, catalogue.TOPIC_GRANT, **grant, member=member)


def test_a_secret_announces_its_rotation_where_its_service_may(cloud: Cloud) -> None:
    topic = make(cloud, catalogue.TOPIC, name="topic")
    wish = {"secretId": "s", "replication": {"auto": {}}, "topics": [{"name": topic.id}]}
    with pytest.raises(
        Refusal, match=r"403: .*gcp-sa-secretmanager.* needs roles/pubsub.publisher"
    ):
        make(cloud, catalogue.SECRET, **wish)
    identity = {"project": "pull", "service": "secretmanager.googleapis.com"}
    agent = make(cloud, catalogue.SERVICE_IDENTITY, **identity).outputs["member"]
    grant = {"topic": "topic", "role": "roles/pubsub.publisher"}
    make(cloud, catalogue.TOPIC_GRANT, **grant, member=agent)
    make(cloud, catalogue.SECRET, **wish)
    with pytest.raises(Refusal, match=r"is in use by .*secrets/s"):
        cloud.delete(catalogue.TOPIC, topic.id, {})


def test_names_that_stay_taken(cloud: Cloud) -> None:
    cloud.delete(catalogue.SQL, sql(cloud).id, {})
    assert made(cloud) == []
    with pytest.raises(Refusal, match=r"409: .*pg was deleted not long ago"):
        sql(cloud)
    ring = make(cloud, catalogue.KEY_RING, name="ring", location="us-central1")
    key = make(cloud, catalogue.KEY, name="key", keyRing=ring.id)
    cloud.delete(catalogue.KEY, key.id, {})
    cloud.delete(catalogue.KEY_RING, ring.id, {})
    assert [record.id for record in made(cloud)] == [key.id, ring.id]
    assert cloud.ids_of(ring.urn) == []
    with pytest.raises(Refusal, match=r"409: .* already exists"):
        make(cloud, catalogue.KEY_RING, name="ring", location="us-central1")
    with pytest.raises(Refusal, match=r"409: .* already exists"):
        make(cloud, catalogue.KEY, name="key", keyRing=ring.id)


def test_protection_forbids_deletion(cloud: Cloud) -> None:
    run = make(cloud, catalogue.RUN_SERVICE, **service())  # protected unless told otherwise
    with pytest.raises(Refusal, match=r"403: .* is protected: set deletionProtection to false"):
        cloud.delete(catalogue.RUN_SERVICE, run.id, {})
    # The state decides: no API of Google knows this property.
    cloud.delete(catalogue.RUN_SERVICE, run.id, {"deletionProtection": False})
    held = sql(cloud, settings={"deletionProtectionEnabled": True})
    with pytest.raises(Refusal, match=r"403: .*settings\.deletionProtectionEnabled"):
        cloud.delete(catalogue.SQL, held.id, {})


def test_cloud_run_keeps_its_revisions(cloud: Cloud) -> None:
    def put(revision: str, image: str, *shares: tuple[str, int]) -> Record:
        template = {"revision": revision, "containers": [{"image": image}]}
        traffics = [{"revision": name, "percent": percent} for name, percent in shares]
        wanted = service(template=template, traffics=traffics)
        if made(cloud):
            return cloud.update(catalogue.RUN_SERVICE, f"{NUMBER}/services/api", wanted, SETTINGS)
        return make(cloud, catalogue.RUN_SERVICE, **wanted)

    with pytest.raises(Refusal, match="there is no revision 'api-0'"):
        put("api-1", "a", ("api-0", 100))
    put("api-1", "a", ("api-1", 100))
    canary = put("api-2", "b", ("api-1", 90), ("api-2", 10))
    assert canary.outputs["latestReadyRevision"].endswith("/revisions/api-2")
    with pytest.raises(Refusal, match=r"409: .*api-1 already exists with another template"):
        put("api-1", "c", ("api-1", 100))
    with pytest.raises(Refusal, match="sum to 105"):
        put("api-2", "b", ("api-1", 95), ("api-2", 10))
    with pytest.raises(Refusal, match="must start with api-"):
        put("web-1", "c", ("api-1", 100))
    put("api-1", "a", ("api-1", 100))


def test_secret_versions_are_numbered_and_no_number_comes_twice(cloud: Cloud) -> None:
    parent = make(cloud, catalogue.SECRET, secretId="s", replication={"auto": {}})

    def add() -> Record:
        return make(cloud, catalogue.SECRET_VERSION, secret=parent.outputs["name"], secretData="x")

    first, second = add(), add()
    assert [first.outputs["version"], second.outputs["version"]] == ["1", "2"]
    assert second.id.endswith("/secrets/s/versions/2")
    cloud.delete(catalogue.SECRET_VERSION, second.id, {})
    assert add().outputs["version"] == "3"


def test_worker_versions_outlive_their_resources(cloud: Cloud) -> None:
    worker = make(cloud, catalogue.WORKER, accountId="a", name="pull-api")
    old = make(cloud, catalogue.WORKER_VERSION, accountId="a", workerId=worker.id)
    new = make(cloud, catalogue.WORKER_VERSION, accountId="a", workerId=worker.id)
    cloud.delete(catalogue.WORKER_VERSION, old.id, {})

    def deploy(*shares: tuple[str, int]) -> Record:
        return make(
            cloud,
            "cloudflare:index/workersDeployment:WorkersDeployment",
            accountId="a",
            scriptName="pull-api",
            strategy="percentage",
            versions=[{"versionId": name, "percentage": percent} for name, percent in shares],
        )

    deploy((old.id, 90), (new.id, 10))
    with pytest.raises(Refusal, match="sum to 105"):
        deploy((old.id, 95), (new.id, 10))
    with pytest.raises(Refusal, match="404"):
        deploy(("00000000-0000-4000-8000-000000000000", 100))
    assert cloud.ids_of(old.urn) == []
    route = make(
        cloud,
        "cloudflare:index/workersRoute:WorkersRoute",
        zoneId="z",
        pattern="api/*",
        script="pull-api",
    )
    with pytest.raises(Refusal, match=r"is in use by .*WorkersRoute"):
        cloud.delete(catalogue.WORKER, worker.id, {})
    cloud.delete(route.type, route.id, {})
    cloud.delete(catalogue.WORKER, worker.id, {})
    assert made(cloud) == []


@pytest.mark.parametrize(
    ("token", "inputs", "reason"),
    [
        (catalogue.BUCKET, {"name": "has space", "location": "l"}, "no bucket name"),
        (catalogue.R2_BUCKET, {"accountId": "a", "name": "Pull_Assets"}, "no bucket name"),
        (catalogue.NETWORK, {"name": "Main"}, "a letter first"),
        (
            "cloudflare:index/dnsRecord:DnsRecord",
            {"zoneId": "z", "name": "n", "type": "A", "content": "192.0.2.1", "ttl": 5},
            "30 to 86400",
        ),
        (catalogue.CONNECTOR, {"name": "c", "ipCidrRange": "10.8.0.0/24"}, "takes a /28"),
        (
            catalogue.SERVICE_IDENTITY,
            {"project": "pull", "service": "storage.googleapis.com"},
            "gcloud storage service-agent",
        ),
        (
            catalogue.RUN_SERVICE,
            service(scaling={"minInstanceCount": 5, "maxInstanceCount": 2}),
            "more than the maximum",
        ),
    ],
)
def test_the_cloud_refuses_what_previews_let_pass(
    cloud: Cloud, token: str, inputs: Properties, reason: str
) -> None:
    with pytest.raises(Refusal, match=reason):
        make(cloud, token, **inputs)
    assert made(cloud) == []


@pytest.mark.parametrize(
    ("cpu", "memory", "reason"),
    [
        ("3", "4Gi", "1, 2, 4, 6 or 8"),
        ("4", "64Gi", "2 to 16 GiB"),
        ("4", "1Gi", "2 to 16 GiB"),
        ("500m", "2Gi", "up to 1 GiB"),
        ("four", "4Gi", "CPU such as"),
    ],
)
def test_cloud_run_offers_only_some_sizes(cloud: Cloud, cpu: str, memory: str, reason: str) -> None:
    container = {"image": "i", "resources": {"limits": {"cpu": cpu, "memory": memory}}}
    with pytest.raises(Refusal, match=reason):
        make(cloud, catalogue.RUN_SERVICE, **service(template={"containers": [container]}))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"tier": "db-custom-4-x"}, "no machine tier"),
        ({"tier": "db-custom-3-7680"}, "even number of CPUs"),
        ({"tier": "db-custom-2-4000"}, "steps of 256 MiB"),
        ({"edition": "ENTERPRISE_PLUS"}, "not of the edition"),
        ({"backupConfiguration": {"startTime": "3am"}}, "no time of day"),
        ({"ipConfiguration": {"sslMode": "STRICT"}}, "ENCRYPTED_ONLY"),
    ],
)
def test_cloud_sql_refuses_settings_that_it_does_not_offer(
    cloud: Cloud, settings: Properties, reason: str
) -> None:
    with pytest.raises(Refusal, match=reason):
        sql(cloud, settings=settings)


def test_many_threads_make_each_thing_once(cloud: Cloud) -> None:
    parent = make(cloud, catalogue.SECRET, secretId="s", replication={"auto": {}})

    def add(_: int) -> str:
        version = make(cloud, catalogue.SECRET_VERSION, secret=parent.id, secretData="x")
        return str(version.outputs["version"])

    def claim(_: int) -> bool:
        try:
            return bool(make(cloud, catalogue.TOPIC, name="one"))
        except Refusal:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sorted(map(int, threads.map(add, range(40)))) == list(range(1, 41))
        assert sum(threads.map(claim, range(40))) == 1


def test_types_outside_the_table_get_a_plain_answer(cloud: Cloud) -> None:
    zone = make(cloud, "gcp:dns/managedZone:ManagedZone", name="zone", dnsName="pull.com.")
    assert zone.id == "pull/us-central1/zone"
    with pytest.raises(Refusal, match="409"):
        make(cloud, "gcp:dns/managedZone:ManagedZone", name="zone", dnsName="pull.com.")
