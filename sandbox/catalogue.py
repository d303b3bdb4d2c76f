"""What the sandbox knows of each resource type beyond the types in its SDK.

Where a thing lives, which id and outputs it gets, what it hangs on, and how it may be deleted.
A type that is not listed gets a plain answer from its SDK types alone.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from sandbox import kubernetes, rules
from sandbox.kind import Answer, Kind, Use
from sandbox.thing import Thing
from sandbox.values import UNKNOWN


def kind_of(token: str) -> Kind:
    """The kind of a type; a plain one when the table does not list it."""
    if token.startswith("kubernetes:"):
        return kubernetes.kind_of(token)
    return KINDS.get(token) or _plain_kind(token)


def _plain_kind(token: str) -> Kind:
    """A type that is not listed: known by its name, if it has one, else by an id of its own."""
    if re.search(r"I[Aa][Mm](Member|Binding|Policy)$", token):
        return Kind(address=_plain_grant, name="", repeatable=True)
    return Kind(address=_plain_place)


def _plain_grant(thing: Thing) -> str:
    return "/".join(str(value) for value in thing.inputs.values() if isinstance(value, str))


def _plain_place(thing: Thing) -> str:
    place = [
        thing.inputs.get(name) or thing.settings.get(name)
        for name in ("project", "region", "location")
    ]
    return "/".join(str(part) for part in (*place, thing.get("name") or thing.uuid()) if part)


NETWORK: Final = "gcp:compute/network:Network"
SUBNETWORK: Final = "gcp:compute/subnetwork:Subnetwork"
PEERING: Final = "gcp:servicenetworking/connection:Connection"
CONNECTOR: Final = "gcp:vpcaccess/connector:Connector"
ROUTER: Final = "gcp:compute/router:Router"
KEY_RING: Final = "gcp:kms/keyRing:KeyRing"
KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
BUCKET: Final = "gcp:storage/bucket:Bucket"
REPOSITORY: Final = "gcp:artifactregistry/repository:Repository"
ACCOUNT: Final = "gcp:serviceaccount/account:Account"
POOL: Final = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
SECRET: Final = "gcp:secretmanager/secret:Secret"
SECRET_VERSION: Final = "gcp:secretmanager/secretVersion:SecretVersion"
TOPIC: Final = "gcp:pubsub/topic:Topic"
RUN_SERVICE: Final = "gcp:cloudrunv2/service:Service"
RUN_POOL: Final = "gcp:cloudrunv2/workerPool:WorkerPool"
RUN_JOB: Final = "gcp:cloudrunv2/job:Job"
CLUSTER: Final = "gcp:container/cluster:Cluster"
WORKER: Final = "cloudflare:index/worker:Worker"
WORKER_VERSION: Final = "cloudflare:index/workerVersion:WorkerVersion"
R2_BUCKET: Final = "cloudflare:index/r2Bucket:R2Bucket"
PROJECT: Final = "vercel:index/project:Project"

_COMPUTE: Final = "https://www.googleapis.com/compute/v1/{address}"


def _control_plane(thing: Thing) -> dict[str, Any]:
    """With the name that Google gives the control plane."""
    said = thing.inputs.get("controlPlaneEndpointsConfig", {})
    dns = {
        **said.get("dnsEndpointConfig", {}),
        "endpoint": f"gke-{thing.hexadecimal(40, 'dns')}.{thing['location']}.gke.goog",
    }
    return {**said, "dnsEndpointConfig": dns}


def _grant(parent: str, uses: Use | None = None) -> Kind:
    """A member of a role: making it again is no conflict, and it goes away with what it opens."""
    return Kind(
        address=f"{parent}/{{role}}/{{member}}{{condition}}",
        name="",
        outputs={"etag": lambda thing: _etag(thing)},
        uses=(uses,) if uses else (),
        repeatable=True,
    )


def _etag(thing: Thing) -> str:
    return base64.b64encode(thing.dice(f"etag/{thing.updated}").randbytes(9)).decode()


def _labels(thing: Thing) -> dict[str, str]:
    return {"goog-pulumi-provisioned": "true", **(thing.get("labels") or {})}


def _gateway(thing: Thing) -> str:
    network = ipaddress.ip_network(thing.get("ipCidrRange", "10.0.0.0/8"), strict=False)
    return str(network.network_address + 1)


def _reserved_address(thing: Thing) -> str:
    if given := thing.get("address"):
        return str(given)
    if thing.get("addressType", "EXTERNAL") == "EXTERNAL":
        return thing.public_address()
    return thing.private_address().rsplit(".", 1)[0] + ".0"


def _account_email(thing: Thing) -> str:
    return thing.text("{accountId}@{project}.iam.gserviceaccount.com")


_AGENTS: Final = {
    "artifactregistry.googleapis.com": "gcp-sa-artifactregistry",
    "cloudkms.googleapis.com": "gcp-sa-cloudkms",
    "container.googleapis.com": "container-engine-robot",
    "pubsub.googleapis.com": "gcp-sa-pubsub",
    "redis.googleapis.com": "cloud-redis",
    "run.googleapis.com": "serverless-robot-prod",
    "secretmanager.googleapis.com": "gcp-sa-secretmanager",
    "sqladmin.googleapis.com": "gcp-sa-cloud-sql",
}
"""The projects in which Google keeps the agents of its services."""


def _agent(thing: Thing) -> str:
    service = thing["service"]
    home = _AGENTS.get(service, f"gcp-sa-{service.partition('.')[0]}")
    return thing.text(f"service-{{number}}@{home}.iam.gserviceaccount.com")


# -- Cloud SQL and Memorystore ---------------------------------------------------------------------


def _sql_private(thing: Thing) -> str | None:
    private = thing.get("settings.ipConfiguration.privateNetwork")
    cloned = thing.get("clone")
    return thing.private_address() if private or cloned else None


def _sql_public(thing: Thing) -> str | None:
    return thing.public_address() if thing.get("settings.ipConfiguration.ipv4Enabled") else None


def _sql_addresses(thing: Thing) -> list[dict[str, str]]:
    private, public = _sql_private(thing), _sql_public(thing)
    return [
        {"ipAddress": address, "type": kind, "timeToRetire": ""}
        for address, kind in ((public, "PRIMARY"), (private, "PRIVATE"))
        if address
    ]


def _certificates(thing: Thing) -> list[dict[str, str]]:
    return [
        {
            "cert": thing.certificate(),
            "createTime": thing.created,
            "expirationTime": f"{int(thing.created[:4]) + 10}{thing.created[4:]}",
            "sha1Fingerprint": thing.hexadecimal(40, "fingerprint"),
        }
    ]


def _redis_port(thing: Thing) -> int:
    return 6378 if thing.get("transitEncryptionMode") == "SERVER_AUTHENTICATION" else 6379


def _redis_has_tls(thing: Thing) -> list[dict[str, str]]:
    return _certificates(thing) if _redis_port(thing) == 6378 else []


# -- Cloud Run -------------------------------------------------------------------------------------


def _revision(thing: Thing) -> str:
    return f"{thing.address}/revisions/{thing.memory['latest']}"


def _generation(thing: Thing) -> str:
    return str(thing.memory.get("generation", 1))


def _run_url(thing: Thing) -> str:
    return thing.text("https://{name}-{number}.{location}.run.app")


def _traffic_statuses(thing: Thing) -> list[dict[str, Any]]:
    latest = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}
    return [
        {"uri": _run_url(thing) if not target.get("tag") else "", **target}
        for target in thing.get("traffics") or [latest]
    ]


def _run(kind: str, **outputs: Answer) -> Kind:
    """What services and worker pools share: revisions, secrets and a place in a network."""
    containers = "template.containers[]"
    return Kind(
        address=f"projects/{{project}}/locations/{{location}}/{kind}/{{name}}",
        outputs={
            "createTime": lambda thing: thing.created,
            "updateTime": lambda thing: thing.updated,
            "uid": "{uuid}",
            "etag": _etag,
            "latestCreatedRevision": _revision,
            "latestReadyRevision": _revision,
            "generation": _generation,
            "observedGeneration": _generation,
            "terminalConditions": lambda thing: [
                {
                    "type": "Ready",
                    "state": "CONDITION_SUCCEEDED",
                    "lastTransitionTime": thing.updated,
                }
            ],
            **outputs,
        },
        uses=(
            Use(f"{containers}.envs[].valueSource.secretKeyRef.secret", SECRET, "needs"),
            Use("template.volumes[].secret.secret", SECRET, "needs"),
            Use("template.serviceAccount", ACCOUNT, "needs"),
            Use("template.vpcAccess.connector", CONNECTOR, "blocks"),
            Use("template.vpcAccess.networkInterfaces[].network", NETWORK, "blocks"),
            Use("template.vpcAccess.networkInterfaces[].subnetwork", SUBNETWORK, "blocks"),
        ),
        remembers="revisions",
        protections={"deletionProtection": True},
        refused_early=(rules.seconds("template.timeout"),),
        refused_late=(rules.cloud_run_sizes, rules.cloud_run_scaling, rules.cloud_run_traffic),
    )


def _job() -> Kind:
    shared = _run("jobs")
    inside = "template.template"
    return replace(
        shared,
        outputs={
            name: answer for name, answer in shared.outputs.items() if not name.endswith("Revision")
        },
        uses=tuple(replace(use, path=f"template.{use.path}") for use in shared.uses),
        remembers=None,
        refused_early=(rules.seconds(f"{inside}.timeout"),),
        refused_late=(),
    )


# -- Kubernetes Engine -----------------------------------------------------------------------------


def _cluster_authority(thing: Thing) -> dict[str, str]:
    return {"clusterCaCertificate": base64.b64encode(thing.certificate().encode()).decode()}


# -- Cloudflare and Vercel -------------------------------------------------------------------------


def _record_content(thing: Thing) -> str:
    return str(thing.get("content") or json.dumps(thing.get("data"), sort_keys=True))


def _variable_scope(thing: Thing) -> str:
    """Where a variable is set: one key can be there once for each of these."""
    places = (*thing.get("targets", ()), *thing.get("customEnvironmentIds", ()))
    return "+".join(sorted(places)) + f"@{thing.get('gitBranch', '')}"


# -- Random ----------------------------------------------------------------------------------------

_CLASSES: Final = {
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "numeric": string.digits,
    "special": "!@#$%&*()-_=+[]{}<>:?",
}


def _password(thing: Thing) -> str:
    """As long as asked for, of the classes asked for, with each class's minimum."""
    classes = {**_CLASSES, "special": thing.get("overrideSpecial") or _CLASSES["special"]}
    chosen = [name for name in classes if thing.get(name, True)]
    dice = thing.dice("result")
    characters = [
        character
        for name in classes
        for character in dice.choices(classes[name], k=thing.get(f"min{name.title()}", 0))
    ]
    everything = "".join(classes[name] for name in chosen)
    characters += dice.choices(everything, k=thing.get("length") - len(characters))
    dice.shuffle(characters)
    return "".join(characters)


def _random_bytes(thing: Thing) -> bytes:
    return thing.dice("bytes").randbytes(thing.get("byteLength"))


def _random_id(encode: Callable[[bytes], str]) -> Callable[[Thing], str]:
    return lambda thing: thing.get("prefix", "") + encode(_random_bytes(thing))


def _url_base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


# -- The table -------------------------------------------------------------------------------------

KINDS: Final[Mapping[str, Kind]] = {
    # The project at Google
    "gcp:projects/service:Service": Kind(address="{project}/{service}", name="", repeatable=True),
    "gcp:projects/serviceIdentity:ServiceIdentity": Kind(
        address="projects/{project}/services/{service}",
        name="",
        repeatable=True,
        outputs={"email": _agent, "member": lambda thing: f"serviceAccount:{_agent(thing)}"},
    ),
    "gcp:projects/iAMMember:IAMMember": _grant("{project}"),
    # Its network
    NETWORK: Kind(
        address="projects/{project}/global/networks/{name}",
        outputs={
            "selfLink": _COMPUTE,
            "networkId": "{digits21}",
            "numericId": "{digits21}",
            "gatewayIpv4": "",
        },
        refused_late=(rules.compute_name,),
    ),
    SUBNETWORK: Kind(
        address="projects/{project}/regions/{region}/subnetworks/{name}",
        outputs={
            "selfLink": _COMPUTE,
            "gatewayAddress": _gateway,
            "creationTimestamp": lambda thing: thing.created,
            "subnetworkId": lambda thing: int(thing.text("{digits21}")[:12]),
        },
        uses=(Use("network", NETWORK, "blocks"),),
        refused_late=(rules.compute_name,),
    ),
    "gcp:compute/globalAddress:GlobalAddress": Kind(
        address="projects/{project}/global/addresses/{name}",
        outputs={
            "selfLink": _COMPUTE,
            "address": _reserved_address,
            "creationTimestamp": lambda thing: thing.created,
            "effectiveLabels": _labels,
            "pulumiLabels": _labels,
        },
        uses=(Use("network", NETWORK, "blocks"),),
        refused_late=(rules.compute_name,),
    ),
    "gcp:compute/address:Address": Kind(
        address="projects/{project}/regions/{region}/addresses/{name}",
        outputs={
            "selfLink": _COMPUTE,
            "address": _reserved_address,
            "creationTimestamp": lambda thing: thing.created,
            "effectiveLabels": _labels,
            "pulumiLabels": _labels,
        },
        uses=(Use("network", NETWORK, "blocks"), Use("subnetwork", SUBNETWORK, "blocks")),
        refused_late=(rules.compute_name,),
    ),
    ROUTER: Kind(
        address="projects/{project}/regions/{region}/routers/{name}",
        outputs={"selfLink": _COMPUTE, "creationTimestamp": lambda thing: thing.created},
        uses=(Use("network", NETWORK, "blocks"),),
        refused_late=(rules.compute_name,),
    ),
    "gcp:compute/routerNat:RouterNat": Kind(
        address="{project}/{region}/{router}/{name}",
        uses=(Use("router", ROUTER, "contained"),),
        refused_late=(rules.compute_name,),
    ),
    "gcp:compute/firewall:Firewall": Kind(
        address="projects/{project}/global/firewalls/{name}",
        outputs={"selfLink": _COMPUTE, "creationTimestamp": lambda thing: thing.created},
        uses=(Use("network", NETWORK, "blocks"),),
        refused_late=(rules.compute_name,),
    ),
    # A network has one connection to Google's services, so the network is its address.
    PEERING: Kind(
        address="{network}",
        name="network",
        id="{network}:{service}",
        outputs={"peering": "servicenetworking-googleapis-com"},
        uses=(Use("network", NETWORK, "blocks"),),
    ),
    CONNECTOR: Kind(
        address="projects/{project}/locations/{region}/connectors/{name}",
        outputs={
            "selfLink": "{address}",
            "state": "READY",
            "connectedProjects": lambda thing: [thing["project"]],
        },
        uses=(Use("network", NETWORK, "blocks"), Use("subnet.name", SUBNETWORK, "blocks")),
        refused_late=(rules.connector_range,),
    ),
    # Its keys
    KEY_RING: Kind(
        address="projects/{project}/locations/{location}/keyRings/{name}", deletion="forgets"
    ),
    KEY: Kind(
        address="{keyRing}/cryptoKeys/{name}",
        outputs={
            "primaries": lambda thing: [
                {"name": f"{thing.address}/cryptoKeyVersions/1", "state": "ENABLED"}
            ],
            "effectiveLabels": _labels,
            "pulumiLabels": _labels,
        },
        uses=(Use("keyRing", KEY_RING, "contained"),),
        deletion="forgets",
        refused_early=(rules.key_rotation,),
    ),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": _grant(
        "{cryptoKeyId}", Use("cryptoKeyId", KEY, "contained")
    ),
    # Its data
    SQL: Kind(
        address="projects/{project}/instances/{name}",
        id="{name}",
        outputs={
            "connectionName": "{project}:{region}:{name}",
            "selfLink": "https://sqladmin.googleapis.com/sql/v1beta4/{address}",
            "privateIpAddress": _sql_private,
            "publicIpAddress": _sql_public,
            "firstIpAddress": lambda thing: _sql_public(thing) or _sql_private(thing),
            "ipAddresses": _sql_addresses,
            "serverCaCerts": _certificates,
            "serviceAccountEmailAddress": (
                "p{number}-{hex8}@gcp-sa-cloud-sql.iam.gserviceaccount.com"
            ),
            "instanceType": "CLOUD_SQL_INSTANCE",
        },
        uses=(
            Use("settings.ipConfiguration.privateNetwork", NETWORK, "blocks"),
            Use("settings.ipConfiguration.privateNetwork", PEERING, "blocks"),
            Use("encryptionKeyName", KEY, "needs"),
            Use("clone.sourceInstanceName", "gcp:sql/databaseInstance:DatabaseInstance", "needs"),
        ),
        deletion="reserves",
        protections={"deletionProtection": True, "settings.deletionProtectionEnabled": False},
        refused_late=(rules.sql_instance,),
    ),
    "gcp:sql/database:Database": Kind(
        address="projects/{project}/instances/{instance}/databases/{name}",
        outputs={
            "selfLink": "https://sqladmin.googleapis.com/sql/v1beta4/{address}",
            "charset": lambda thing: thing.get("charset", "UTF8"),
            "collation": lambda thing: thing.get("collation", "en_US.UTF8"),
        },
        uses=(Use("instance", SQL, "contained"),),
    ),
    "gcp:sql/user:User": Kind(
        address="projects/{project}/instances/{instance}/users/{name}",
        id="{name}//{instance}",
        uses=(Use("instance", SQL, "contained"),),
    ),
    "gcp:redis/instance:Instance": Kind(
        address="projects/{project}/locations/{region}/instances/{name}",
        outputs={
            "host": Thing.private_address,
            "port": _redis_port,
            "authString": lambda thing: thing.uuid("auth") if thing.get("authEnabled") else None,
            "serverCaCerts": _redis_has_tls,
            "createTime": lambda thing: thing.created,
            "currentLocationId": lambda thing: thing.get("locationId") or f"{thing['region']}-a",
            "locationId": lambda thing: thing.get("locationId") or f"{thing['region']}-a",
            "persistenceIamIdentity": (
                "serviceAccount:service-{number}@cloud-redis.iam.gserviceaccount.com"
            ),
            "effectiveLabels": _labels,
            "pulumiLabels": _labels,
        },
        uses=(
            Use("authorizedNetwork", NETWORK, "blocks"),
            Use("authorizedNetwork", PEERING, "blocks"),
            Use("customerManagedKey", KEY, "needs"),
        ),
        protections={"deletionProtection": False},
    ),
    BUCKET: Kind(
        address="b/{name}",
        id="{name}",
        outputs={
            "selfLink": "https://www.googleapis.com/storage/v1/b/{name}",
            "url": "gs://{name}",
            "projectNumber": lambda thing: int(thing.number_of_project()),
            "timeCreated": lambda thing: thing.created,
            "updated": lambda thing: thing.updated,
            "location": lambda thing: thing["location"].upper(),
            "effectiveLabels": _labels,
            "pulumiLabels": _labels,
        },
        uses=(Use("encryption.defaultKmsKeyName", KEY, "needs"),),
        refused_late=(rules.bucket_name,),
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": _grant(
        "b/{bucket}", Use("bucket", BUCKET, "contained")
    ),
    # Its images, identities, secrets and messages
    REPOSITORY: Kind(
        address="projects/{project}/locations/{location}/repositories/{repositoryId}",
        name="repositoryId",
        outputs={
            "name": "{repositoryId}",
            "registryUri": "{location}-docker.pkg.dev/{project}/{repositoryId}",
            "createTime": lambda thing: thing.created,
            "updateTime": lambda thing: thing.updated,
            "effectiveLabels": _labels,
            "pulumiLabels": _labels,
        },
        uses=(Use("kmsKeyName", KEY, "needs"),),
    ),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": _grant(
        "projects/{project}/locations/{location}/repositories/{repository}",
        Use("repository", REPOSITORY, "contained"),
    ),
    ACCOUNT: Kind(
        address="projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
        name="accountId",
        bare="projects/{project}/serviceAccounts/{accountId}",
        outputs={
            "name": "{address}",
            "email": _account_email,
            "member": lambda thing: f"serviceAccount:{_account_email(thing)}",
            "uniqueId": "{digits21}",
        },
        refused_early=(rules.account_id,),
    ),
    "gcp:serviceaccount/iAMMember:IAMMember": _grant(
        "{serviceAccountId}", Use("serviceAccountId", ACCOUNT, "contained")
    ),
    POOL: Kind(
        address="projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}",
        name="workloadIdentityPoolId",
        outputs={
            "name": (
                "projects/{number}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
            ),
            "state": "ACTIVE",
        },
        deletion="reserves",
    ),
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": Kind(
        address=(
            "projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
            "/providers/{workloadIdentityPoolProviderId}"
        ),
        name="workloadIdentityPoolProviderId",
        outputs={
            "name": (
                "projects/{number}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
                "/providers/{workloadIdentityPoolProviderId}"
            ),
            "state": "ACTIVE",
        },
        uses=(Use("workloadIdentityPoolId", POOL, "contained"),),
        deletion="reserves",
    ),
    SECRET: Kind(
        address="projects/{project}/secrets/{secretId}",
        name="secretId",
        outputs={
            "name": "projects/{number}/secrets/{secretId}",
            "createTime": lambda thing: thing.created,
            "effectiveLabels": _labels,
            "pulumiLabels": _labels,
        },
        uses=(
            Use("topics[].name", TOPIC, "needs"),
            Use("replication.auto.customerManagedEncryption.kmsKeyName", KEY, "needs"),
            Use(
                "replication.userManaged.replicas[].customerManagedEncryption.kmsKeyName",
                KEY,
                "needs",
            ),
        ),
        protections={"deletionProtection": False},
    ),
    SECRET_VERSION: Kind(
        address="{secret}/versions/{uuid}",
        id=lambda thing: f"{thing['secret']}/versions/{thing.memory['number']}",
        name="",
        outputs={
            "name": lambda thing: f"{thing['secret']}/versions/{thing.memory['number']}",
            "version": lambda thing: str(thing.memory["number"]),
            "createTime": lambda thing: thing.created,
        },
        uses=(Use("secret", SECRET, "contained"),),
        remembers="number",
    ),
    "gcp:secretmanager/secretIamMember:SecretIamMember": _grant(
        "projects/{project}/secrets/{secretId}", Use("secretId", SECRET, "contained")
    ),
    TOPIC: Kind(
        address="projects/{project}/topics/{name}",
        outputs={"effectiveLabels": _labels, "pulumiLabels": _labels},
    ),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": _grant(
        "projects/{project}/topics/{topic}", Use("topic", TOPIC, "contained")
    ),
    # What runs there
    RUN_SERVICE: _run(
        "services",
        uri=_run_url,
        urls=lambda thing: [_run_url(thing)],
        trafficStatuses=_traffic_statuses,
        effectiveLabels=_labels,
        pulumiLabels=_labels,
    ),
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": _grant(
        "projects/{project}/locations/{location}/services/{name}",
        Use("name", RUN_SERVICE, "contained"),
    ),
    RUN_POOL: _run("workerPools", effectiveLabels=_labels, pulumiLabels=_labels),
    "gcp:cloudrunv2/workerPoolIamMember:WorkerPoolIamMember": _grant(
        "projects/{project}/locations/{location}/workerPools/{name}",
        Use("name", RUN_POOL, "contained"),
    ),
    RUN_JOB: _job(),
    CLUSTER: Kind(
        address="projects/{project}/locations/{location}/clusters/{name}",
        outputs={
            "endpoint": Thing.public_address,
            "controlPlaneEndpointsConfig": _control_plane,
            "selfLink": "https://container.googleapis.com/v1/{address}",
            "masterVersion": "1.33.5-gke.1000000",
            "effectiveLabels": _labels,
            "pulumiLabels": _labels,
            "masterAuth": _cluster_authority,
        },
        unknown={"controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"endpoint": UNKNOWN}}},
        uses=(Use("network", NETWORK, "blocks"), Use("subnetwork", SUBNETWORK, "blocks")),
        protections={"deletionProtection": True},
    ),
    # Cloudflare
    WORKER: Kind(
        address="workers/{name}",  # routes name a worker without its account
        id="{hex32}",
        outputs={
            "createdOn": lambda thing: thing.created,
            "updatedOn": lambda thing: thing.updated,
        },
    ),
    WORKER_VERSION: Kind(
        address="workers/{workerId}/versions/{uuid}",
        id="{uuid}",
        name="",
        outputs={
            "createdOn": lambda thing: thing.created,
            "number": lambda thing: thing.memory["number"],
            "source": "api",
        },
        uses=(Use("workerId", WORKER, "contained"),),
        remembers="number",
        deletion="forgets",
    ),
    "cloudflare:index/workersDeployment:WorkersDeployment": Kind(
        address="workers/{scriptName}/deployments/{uuid}",
        id="{uuid}",
        name="",
        outputs={
            "createdOn": lambda thing: thing.created,
            "source": "api",
            "authorEmail": "sandbox@example.com",
        },
        uses=(
            Use("scriptName", WORKER, "contained"),
            Use("versions[].versionId", WORKER_VERSION, "needs"),
        ),
        deletion="forgets",
        refused_late=(rules.deployment_shares,),
    ),
    "cloudflare:index/workersRoute:WorkersRoute": Kind(
        address="zones/{zoneId}/routes/{pattern}",
        id="{hex32}",
        name="",
        uses=(Use("script", WORKER, "needs"),),
    ),
    "cloudflare:index/dnsRecord:DnsRecord": Kind(
        address=lambda thing: (
            thing.text("zones/{zoneId}/records/{name}/{type}/") + _record_content(thing)
        ),
        id="{hex32}",
        name="",
        outputs={
            "createdOn": lambda thing: thing.created,
            "modifiedOn": lambda thing: thing.updated,
            "proxiable": lambda thing: thing.get("type") in ("A", "AAAA", "CNAME"),
        },
        refused_late=(rules.record_ttl,),
    ),
    R2_BUCKET: Kind(
        address="accounts/{accountId}/r2/{name}",
        id="{name}",
        outputs={"creationDate": lambda thing: thing.created},
        refused_late=(rules.r2_bucket_name,),
    ),
    "cloudflare:index/r2BucketCors:R2BucketCors": Kind(
        address="accounts/{accountId}/r2/{bucketName}/cors",
        id="{bucketName}",
        name="",
        uses=(Use("bucketName", R2_BUCKET, "contained"),),
        repeatable=True,
    ),
    "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle": Kind(
        address="accounts/{accountId}/r2/{bucketName}/lifecycle",
        id="{bucketName}",
        name="",
        uses=(Use("bucketName", R2_BUCKET, "contained"),),
        repeatable=True,
    ),
    "cloudflare:index/zoneSetting:ZoneSetting": Kind(
        address="zones/{zoneId}/settings/{settingId}",
        id="{settingId}",
        name="",
        outputs={"editable": lambda _: True, "modifiedOn": lambda thing: thing.updated},
        repeatable=True,
    ),
    # Vercel
    PROJECT: Kind(
        address="projects/{name}",
        id="prj_{letters24}",
        refused_early=(rules.vercel_protection,),
    ),
    "vercel:index/projectDomain:ProjectDomain": Kind(
        address="domains/{domain}",
        id="{domain}",
        name="",
        uses=(Use("projectId", PROJECT, "contained"),),
    ),
    "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable": Kind(
        address=lambda thing: (
            thing.text("projects/{projectId}/env/{key}/") + _variable_scope(thing)
        ),
        id="{letters16}",
        name="",
        uses=(Use("projectId", PROJECT, "contained"),),
        refused_early=(rules.vercel_targets,),
    ),
    "vercel:index/deployment:Deployment": Kind(
        address="projects/{projectId}/deployments/{letters24}",
        id="dpl_{letters24}",
        name="",
        outputs={
            "url": lambda thing: f"{thing.hexadecimal(9)}-sandbox.vercel.app",
            "domains": lambda thing: [f"{thing.hexadecimal(9)}-sandbox.vercel.app"],
        },
        uses=(Use("projectId", PROJECT, "contained"),),
    ),
    # Pulumi Cloud
    **{
        f"pulumiservice:index:{name}": Kind(address="{organization}/{project}/{stack}", name="")
        for name in ("DeploymentSettings", "StackTags")
    },
    # Random
    "random:index/randomPassword:RandomPassword": Kind(
        address="passwords/{uuid}",
        # The real provider calls each one "none" and keeps it in the state alone; the cloud here
        # has to tell one from another.
        id="none-{uuid}",
        name="",
        outputs={
            "result": _password,
            "bcryptHash": lambda thing: f"$2a$10${thing.letters(53, 'bcrypt')}",
            "number": lambda thing: thing.get("numeric", True),
        },
        refused_early=(rules.password_length,),
    ),
    "random:index/randomString:RandomString": Kind(
        address="strings/{uuid}", id=_password, name="", outputs={"result": _password}
    ),
    "random:index/randomId:RandomId": Kind(
        address="ids/{uuid}",
        id=lambda thing: _url_base64(_random_bytes(thing)),
        name="",
        outputs={
            "hex": _random_id(bytes.hex),
            "dec": _random_id(lambda content: str(int.from_bytes(content))),
            "b64Std": _random_id(lambda content: base64.b64encode(content).decode()),
            "b64Url": _random_id(_url_base64),
        },
    ),
}
