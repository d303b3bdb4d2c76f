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
from sandbox.kind import Answer, Grant, Kind, Use
from sandbox.thing import Thing
from sandbox.values import UNKNOWN


def kind_of(token: str) -> Kind:
    """The kind of a type; a plain one when the table does not list it."""
    if token.startswith("kubernetes:"):
        return kubernetes.kind_of(token)
    return KINDS.get(token) or _plain_kind(token)


def api_of(token: str) -> str | None:
    """The API of Google through which things of a type are made; None for those of others.

    What switches APIs on goes through one that is on already, or nobody could begin.
    """
    provider, module, _ = token.split(":")
    if provider != "gcp" or token in (SERVICE, SERVICE_IDENTITY):
        return None
    name = module.partition("/")[0]
    return f"{_APIS.get(name, name)}.googleapis.com"


_APIS: Final = {
    "cloudrun": "run",
    "cloudrunv2": "run",
    "kms": "cloudkms",
    "organizations": "cloudresourcemanager",
    "projects": "cloudresourcemanager",
    "serviceaccount": "iam",
    "sql": "sqladmin",
}
"""APIs that have another name than the SDK's module for them."""


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


SERVICE: Final = "gcp:projects/service:Service"
SERVICE_IDENTITY: Final = "gcp:projects/serviceIdentity:ServiceIdentity"
NETWORK: Final = "gcp:compute/network:Network"
SUBNETWORK: Final = "gcp:compute/subnetwork:Subnetwork"
ADDRESS: Final = "gcp:compute/address:Address"
GLOBAL_ADDRESS: Final = "gcp:compute/globalAddress:GlobalAddress"
PEERING: Final = "gcp:servicenetworking/connection:Connection"
CONNECTOR: Final = "gcp:vpcaccess/connector:Connector"
ROUTER: Final = "gcp:compute/router:Router"
KEY_RING: Final = "gcp:kms/keyRing:KeyRing"
KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
KEY_GRANT: Final = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
BUCKET: Final = "gcp:storage/bucket:Bucket"
REPOSITORY: Final = "gcp:artifactregistry/repository:Repository"
ACCOUNT: Final = "gcp:serviceaccount/account:Account"
POOL: Final = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
SECRET: Final = "gcp:secretmanager/secret:Secret"
SECRET_GRANT: Final = "gcp:secretmanager/secretIamMember:SecretIamMember"
SECRET_VERSION: Final = "gcp:secretmanager/secretVersion:SecretVersion"
TOPIC: Final = "gcp:pubsub/topic:Topic"
TOPIC_GRANT: Final = "gcp:pubsub/topicIAMMember:TopicIAMMember"
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


def _grant(parent: str, *uses: Use) -> Kind:
    """A member of a role: making it again is no conflict, and it goes away with what it opens.

    The member must be there: an account, a service's agent, or a pool of identities.
    """
    return Kind(
        address=f"{parent}/{{role}}/{{member}}{{condition}}",
        name="",
        outputs={"etag": lambda thing: _etag(thing)},
        uses=(
            *uses,
            Use("member", ACCOUNT, "needs", within=_AN_ACCOUNT),
            Use("member", SERVICE_IDENTITY, "needs", within=_AN_AGENT),
            Use("member", POOL, "needs", within=_IN_A_POOL),
        ),
        repeatable=True,
    )


_AN_ACCOUNT: Final = (
    r"serviceAccount:((?!service-\d+@|p\d+-)[^@]+@[^@]+\.iam\.gserviceaccount\.com)"
)
# Cloud Storage makes its agent when somebody asks for the name, and Cloud SQL one per instance.
_AN_AGENT: Final = (
    r"serviceAccount:(service-\d+@(?!gs-project-accounts\b)[^@]+\.iam\.gserviceaccount\.com)"
)
_IN_A_POOL: Final = (
    r"principal(?:Set)?://[^/]+/(projects/[^/]+/locations/global/workloadIdentityPools/[^/]+)/.*"
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
    "storage.googleapis.com": "gs-project-accounts",
}
"""The projects in which Google keeps the agents of its services."""


def _agent(service: str, number: str) -> str:
    home = _AGENTS.get(service, f"gcp-sa-{service.partition('.')[0]}")
    return f"service-{number}@{home}.iam.gserviceaccount.com"


def _agent_email(thing: Thing) -> str:
    return _agent(thing["service"], thing.number_of_project())


def _identity_of_agent(thing: Thing) -> str:
    """The address of the identity that an agent's e-mail address stands for."""
    home = thing["service"].partition("@")[2].partition(".")[0]
    served = {known: service for service, known in _AGENTS.items()}
    service = served.get(home, f"{home.removeprefix('gcp-sa-')}.googleapis.com")
    return thing.text("projects/{project}/services/") + service


def _account_of_email(thing: Thing) -> str:
    email = thing["accountId"]
    project = email.partition("@")[2].partition(".")[0]
    return f"projects/{project}/serviceAccounts/{email}"


def _key(path: str, service: str) -> Use:
    """A key of ours, which the service's agent must have been lent before."""
    member = f"serviceAccount:{_agent(service, '*')}"
    role = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    return Use(path, KEY, "needs", granted=Grant(KEY_GRANT, role, member))


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


def _secret(path: str, account: str) -> Use:
    """A secret that the revision's account must be able to open before the revision is made."""

    def member(thing: Thing) -> str:
        default = thing.text("{number}-compute@developer.gserviceaccount.com")
        return f"serviceAccount:{thing.get(account, default)}"

    role = "roles/secretmanager.secretAccessor"
    return Use(path, SECRET, "blocks", granted=Grant(SECRET_GRANT, role, member))


def _run(kind: str, template: str = "template", **outputs: Answer) -> Kind:
    """What services and worker pools share: revisions, secrets and a place in a network."""
    account = f"{template}.serviceAccount"
    envs, access = f"{template}.containers[].envs[]", f"{template}.vpcAccess"
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
            _secret(f"{envs}.valueSource.secretKeyRef.secret", account),
            _secret(f"{template}.volumes[].secret.secret", account),
            Use(account, ACCOUNT, "blocks"),
            Use(f"{access}.connector", CONNECTOR, "blocks"),
            Use(f"{access}.networkInterfaces[].network", NETWORK, "blocks"),
            Use(f"{access}.networkInterfaces[].subnetwork", SUBNETWORK, "blocks"),
        ),
        remembers="revisions",
        protections={"deletionProtection": True},
        refused_early=(rules.seconds("template.timeout"),),
        refused_late=(rules.cloud_run_sizes, rules.cloud_run_scaling, rules.cloud_run_traffic),
    )


def _job() -> Kind:
    inside = "template.template"
    shared = _run("jobs", inside)
    return replace(
        shared,
        outputs={
            name: answer for name, answer in shared.outputs.items() if not name.endswith("Revision")
        },
        remembers=None,
        refused_early=(rules.seconds(f"{inside}.timeout"),),
        refused_late=(),
    )


# -- Kubernetes Engine -----------------------------------------------------------------------------

_NODE_DEFAULTS: Final = "clusterAutoscaling.autoProvisioningDefaults"


def _cluster_authority(thing: Thing) -> dict[str, str]:
    return {"clusterCaCertificate": base64.b64encode(thing.certificate().encode()).decode()}


# -- Cloudflare and Vercel -------------------------------------------------------------------------


def _record_content(thing: Thing) -> str:
    return str(thing.get("content") or json.dumps(thing.get("data"), sort_keys=True))


def _record_rivals(thing: Thing) -> tuple[str, ...]:
    """A name is an alias or has addresses, and it is one alias only."""
    rivals = {"CNAME": ("A", "AAAA", "CNAME"), "A": ("CNAME",), "AAAA": ("CNAME",)}
    place = thing.text("zones/{zoneId}/records/{name}/").replace("*", "[*]")
    return tuple(f"{place}{kind}/*" for kind in rivals.get(thing["type"], ()))


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


# -- Secret Manager --------------------------------------------------------------------------------

_REMINDER: Final = Grant(
    TOPIC_GRANT,
    "roles/pubsub.publisher",
    f"serviceAccount:{_agent('secretmanager.googleapis.com', '*')}",
)
"""What a topic takes before a secret may announce its rotations there."""


# -- The table -------------------------------------------------------------------------------------

KINDS: Final[Mapping[str, Kind]] = {
    # The project at Google
    SERVICE: Kind(
        address="{project}/{service}",
        name="service",
        repeatable=True,
        deletion=lambda inputs: "removes" if inputs.get("disableOnDestroy") else "forgets",
    ),
    SERVICE_IDENTITY: Kind(
        address="projects/{project}/services/{service}",
        name="service",
        bare=_identity_of_agent,
        repeatable=True,
        outputs={
            "email": _agent_email,
            "member": lambda thing: f"serviceAccount:{_agent_email(thing)}",
        },
        uses=(Use("service", SERVICE, "needs"),),
        deletion="forgets",
        refused_late=(rules.agent_on_request,),
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
    GLOBAL_ADDRESS: Kind(
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
    ADDRESS: Kind(
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
        uses=(Use("router", ROUTER, "contained"), Use("natIps[]", ADDRESS, "blocks")),
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
        uses=(
            Use("network", NETWORK, "blocks"),
            Use("reservedPeeringRanges[]", GLOBAL_ADDRESS, "blocks"),
        ),
        deletion=lambda inputs: (
            "removes" if inputs.get("deletionPolicy") == "REMOVE_PEERING" else "lingers"
        ),
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
    KEY_GRANT: _grant("{cryptoKeyId}", Use("cryptoKeyId", KEY, "contained")),
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
            Use("settings.ipConfiguration.allocatedIpRange", GLOBAL_ADDRESS, "needs"),
            _key("encryptionKeyName", "sqladmin.googleapis.com"),
            Use("clone.sourceInstanceName", SQL, "needs"),
        ),
        deletion="reserves",
        protections={"deletionProtection": True, "settings.deletionProtectionEnabled": False},
        refused_late=(rules.sql_instance, rules.key_beside("encryptionKeyName", "{region}")),
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
            _key("customerManagedKey", "redis.googleapis.com"),
        ),
        protections={"deletionProtection": False},
        refused_late=(rules.key_beside("customerManagedKey", "{region}"),),
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
        uses=(_key("encryption.defaultKmsKeyName", "storage.googleapis.com"),),
        refused_late=(
            rules.bucket_name,
            rules.key_beside("encryption.defaultKmsKeyName", "{location}"),
        ),
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
        uses=(_key("kmsKeyName", "artifactregistry.googleapis.com"),),
        refused_late=(rules.key_beside("kmsKeyName", "{location}"),),
    ),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": _grant(
        "projects/{project}/locations/{location}/repositories/{repository}",
        Use("repository", REPOSITORY, "contained"),
    ),
    ACCOUNT: Kind(
        address="projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
        name="accountId",
        bare=_account_of_email,
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
            Use("topics[].name", TOPIC, "blocks", granted=_REMINDER),
            _key(
                "replication.auto.customerManagedEncryption.kmsKeyName",
                "secretmanager.googleapis.com",
            ),
            _key(
                "replication.userManaged.replicas[].customerManagedEncryption.kmsKeyName",
                "secretmanager.googleapis.com",
            ),
        ),
        protections={"deletionProtection": False},
        refused_late=(
            rules.key_beside("replication.auto.customerManagedEncryption.kmsKeyName", "global"),
        ),
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
    SECRET_GRANT: _grant(
        "projects/{project}/secrets/{secretId}", Use("secretId", SECRET, "contained")
    ),
    TOPIC: Kind(
        address="projects/{project}/topics/{name}",
        outputs={"effectiveLabels": _labels, "pulumiLabels": _labels},
        uses=(_key("kmsKeyName", "pubsub.googleapis.com"),),
    ),
    TOPIC_GRANT: _grant("projects/{project}/topics/{topic}", Use("topic", TOPIC, "contained")),
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
        uses=(
            Use("network", NETWORK, "blocks"),
            Use("subnetwork", SUBNETWORK, "blocks"),
            Use(f"{_NODE_DEFAULTS}.serviceAccount", ACCOUNT, "blocks"),
            _key("databaseEncryption.keyName", "container.googleapis.com"),
        ),
        protections={"deletionProtection": True},
        refused_late=(rules.key_beside("databaseEncryption.keyName", "{location}"),),
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
        uses=(Use("script", WORKER, "blocks"),),
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
        rivals=_record_rivals,
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
