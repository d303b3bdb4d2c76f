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
from sandbox.model import Answer, Grant, ResourceModel, Use
from sandbox.resource import Resource
from sandbox.values import UNKNOWN


def model_of(token: str) -> ResourceModel:
    """The kind of a type; a plain one when the table does not list it."""
    if token.startswith("kubernetes:"):
        return kubernetes.model_of(token)
    return MODELS.get(token) or _plain_model(token)


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


def _plain_model(token: str) -> ResourceModel:
    """A type that is not listed: known by its name, if it has one, else by an id of its own."""
    if re.search(r"I[Aa][Mm](Member|Binding|Policy)$", token):
        return ResourceModel(address=_plain_grant, name="", repeatable=True)
    return ResourceModel(address=_plain_place)


def _plain_grant(resource: Resource) -> str:
    return "/".join(str(value) for value in resource.inputs.values() if isinstance(value, str))


def _plain_place(resource: Resource) -> str:
    place = [
        resource.inputs.get(name) or resource.settings.get(name)
        for name in ("project", "region", "location")
    ]
    return "/".join(str(part) for part in (*place, resource.get("name") or resource.uuid()) if part)


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


def _control_plane(resource: Resource) -> dict[str, Any]:
    """With the name that Google gives the control plane."""
    said = resource.inputs.get("controlPlaneEndpointsConfig", {})
    dns = {
        **said.get("dnsEndpointConfig", {}),
        "endpoint": f"gke-{resource.hexadecimal(40, 'dns')}.{resource['location']}.gke.goog",
    }
    return {**said, "dnsEndpointConfig": dns}


def _grant(parent: str, *uses: Use) -> ResourceModel:
    """A member of a role: making it again is no conflict, and it goes away with what it opens.

    The member must be there: an account, a service's agent, or a pool of identities.
    """
    return ResourceModel(
        address=f"{parent}/{{role}}/{{member}}{{condition}}",
        name="",
        outputs={"etag": lambda resource: _etag(resource)},
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


def _etag(resource: Resource) -> str:
    return base64.b64encode(resource.dice(f"etag/{resource.updated}").randbytes(9)).decode()


def _labels(resource: Resource) -> dict[str, str]:
    return {"goog-pulumi-provisioned": "true", **(resource.get("labels") or {})}


def _gateway(resource: Resource) -> str:
    network = ipaddress.ip_network(resource.get("ipCidrRange", "10.0.0.0/8"), strict=False)
    return str(network.network_address + 1)


def _reserved_address(resource: Resource) -> str:
    if given := resource.get("address"):
        return str(given)
    if resource.get("addressType", "EXTERNAL") == "EXTERNAL":
        return resource.public_address()
    return resource.private_address().rsplit(".", 1)[0] + ".0"


def _account_email(resource: Resource) -> str:
    return resource.text("{accountId}@{project}.iam.gserviceaccount.com")


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


def _agent_email(resource: Resource) -> str:
    return _agent(resource["service"], resource.number_of_project())


def _identity_of_agent(resource: Resource) -> str:
    """The address of the identity that an agent's e-mail address stands for."""
    home = resource["service"].partition("@")[2].partition(".")[0]
    served = {known: service for service, known in _AGENTS.items()}
    service = served.get(home, f"{home.removeprefix('gcp-sa-')}.googleapis.com")
    return resource.text("projects/{project}/services/") + service


def _account_of_email(resource: Resource) -> str:
    email = resource["accountId"]
    project = email.partition("@")[2].partition(".")[0]
    return f"projects/{project}/serviceAccounts/{email}"


def _key(path: str, service: str) -> Use:
    """A key of ours, which the service's agent must have been lent before."""
    member = f"serviceAccount:{_agent(service, '*')}"
    role = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    return Use(path, KEY, "needs", granted=Grant(KEY_GRANT, role, member))


# -- Cloud SQL and Memorystore ---------------------------------------------------------------------


def _sql_private(resource: Resource) -> str | None:
    private = resource.get("settings.ipConfiguration.privateNetwork")
    cloned = resource.get("clone")
    return resource.private_address() if private or cloned else None


def _sql_public(resource: Resource) -> str | None:
    return (
        resource.public_address() if resource.get("settings.ipConfiguration.ipv4Enabled") else None
    )


def _sql_addresses(resource: Resource) -> list[dict[str, str]]:
    private, public = _sql_private(resource), _sql_public(resource)
    return [
        {"ipAddress": address, "type": kind, "timeToRetire": ""}
        for address, kind in ((public, "PRIMARY"), (private, "PRIVATE"))
        if address
    ]


def _certificates(resource: Resource) -> list[dict[str, str]]:
    return [
        {
            "cert": resource.certificate(),
            "createTime": resource.created,
            "expirationTime": f"{int(resource.created[:4]) + 10}{resource.created[4:]}",
            "sha1Fingerprint": resource.hexadecimal(40, "fingerprint"),
        }
    ]


def _redis_port(resource: Resource) -> int:
    return 6378 if resource.get("transitEncryptionMode") == "SERVER_AUTHENTICATION" else 6379


def _redis_has_tls(resource: Resource) -> list[dict[str, str]]:
    return _certificates(resource) if _redis_port(resource) == 6378 else []


# -- Cloud Run -------------------------------------------------------------------------------------


def _revision(resource: Resource) -> str:
    return f"{resource.address}/revisions/{resource.memory['latest']}"


def _generation(resource: Resource) -> str:
    return str(resource.memory.get("generation", 1))


def _run_url(resource: Resource) -> str:
    return resource.text("https://{name}-{number}.{location}.run.app")


def _traffic_statuses(resource: Resource) -> list[dict[str, Any]]:
    latest = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}
    return [
        {"uri": _run_url(resource) if not target.get("tag") else "", **target}
        for target in resource.get("traffics") or [latest]
    ]


def _secret(path: str, account: str) -> Use:
    """A secret that the revision's account must be able to open before the revision is made."""

    def member(resource: Resource) -> str:
        default = resource.text("{number}-compute@developer.gserviceaccount.com")
        return f"serviceAccount:{resource.get(account, default)}"

    role = "roles/secretmanager.secretAccessor"
    return Use(path, SECRET, "blocks", granted=Grant(SECRET_GRANT, role, member))


def _run(kind: str, template: str = "template", **outputs: Answer) -> ResourceModel:
    """What services and worker pools share: revisions, secrets and a place in a network."""
    account = f"{template}.serviceAccount"
    envs, access = f"{template}.containers[].envs[]", f"{template}.vpcAccess"
    return ResourceModel(
        address=f"projects/{{project}}/locations/{{location}}/{kind}/{{name}}",
        outputs={
            "createTime": lambda resource: resource.created,
            "updateTime": lambda resource: resource.updated,
            "uid": "{uuid}",
            "etag": _etag,
            "latestCreatedRevision": _revision,
            "latestReadyRevision": _revision,
            "generation": _generation,
            "observedGeneration": _generation,
            "terminalConditions": lambda resource: [
                {
                    "type": "Ready",
                    "state": "CONDITION_SUCCEEDED",
                    "lastTransitionTime": resource.updated,
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


def _job() -> ResourceModel:
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


def _cluster_authority(resource: Resource) -> dict[str, str]:
    return {"clusterCaCertificate": base64.b64encode(resource.certificate().encode()).decode()}


# -- Cloudflare and Vercel -------------------------------------------------------------------------


def _record_content(resource: Resource) -> str:
    return str(resource.get("content") or json.dumps(resource.get("data"), sort_keys=True))


def _record_rivals(resource: Resource) -> tuple[str, ...]:
    """A name is an alias or has addresses, and it is one alias only."""
    rivals = {"CNAME": ("A", "AAAA", "CNAME"), "A": ("CNAME",), "AAAA": ("CNAME",)}
    place = resource.text("zones/{zoneId}/records/{name}/").replace("*", "[*]")
    return tuple(f"{place}{kind}/*" for kind in rivals.get(resource["type"], ()))


def _variable_scope(resource: Resource) -> str:
    """Where a variable is set: one key can be there once for each of these."""
    places = (*resource.get("targets", ()), *resource.get("customEnvironmentIds", ()))
    return "+".join(sorted(places)) + f"@{resource.get('gitBranch', '')}"


# -- Random ----------------------------------------------------------------------------------------

_CLASSES: Final = {
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "numeric": string.digits,
    "special": "!@#$%&*()-_=+[]{}<>:?",
}


def _password(resource: Resource) -> str:
    """As long as asked for, of the classes asked for, with each class's minimum."""
    classes = {**_CLASSES, "special": resource.get("overrideSpecial") or _CLASSES["special"]}
    chosen = [name for name in classes if resource.get(name, True)]
    dice = resource.dice("result")
    characters = [
        character
        for name in classes
        for character in dice.choices(classes[name], k=resource.get(f"min{name.title()}", 0))
    ]
    everything = "".join(classes[name] for name in chosen)
    characters += dice.choices(everything, k=resource.get("length") - len(characters))
    dice.shuffle(characters)
    return "".join(characters)


def _random_bytes(resource: Resource) -> bytes:
    return resource.dice("bytes").randbytes(resource.get("byteLength"))


def _random_id(encode: Callable[[bytes], str]) -> Callable[[Resource], str]:
    return lambda resource: resource.get("prefix", "") + encode(_random_bytes(resource))


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

MODELS: Final[Mapping[str, ResourceModel]] = {
    # The project at Google
    SERVICE: ResourceModel(
        address="{project}/{service}",
        name="service",
        repeatable=True,
        deletion=lambda inputs: "removes" if inputs.get("disableOnDestroy") else "forgets",
    ),
    SERVICE_IDENTITY: ResourceModel(
        address="projects/{project}/services/{service}",
        name="service",
        bare=_identity_of_agent,
        repeatable=True,
        outputs={
            "email": _agent_email,
            "member": lambda resource: f"serviceAccount:{_agent_email(resource)}",
        },
        uses=(Use("service", SERVICE, "needs"),),
        deletion="forgets",
        refused_late=(rules.agent_on_request,),
    ),
    "gcp:projects/iAMMember:IAMMember": _grant("{project}"),
    # Its network
    NETWORK: ResourceModel(
        address="projects/{project}/global/networks/{name}",
        outputs={
            "selfLink": _COMPUTE,
            "networkId": "{digits21}",
            "numericId": "{digits21}",
            "gatewayIpv4": "",
        },
        refused_late=(rules.compute_name,),
    ),
    SUBNETWORK: ResourceModel(
        address="projects/{project}/regions/{region}/subnetworks/{name}",
        outputs={
            "selfLink": _COMPUTE,
            "gatewayAddress": _gateway,
            "creationTimestamp": lambda resource: resource.created,
            "subnetworkId": lambda resource: int(resource.text("{digits21}")[:12]),
        },
        uses=(Use("network", NETWORK, "blocks"),),
        refused_late=(rules.compute_name,),
    ),
    GLOBAL_ADDRESS: ResourceModel(
        address="projects/{project}/global/addresses/{name}",
        outputs={
            "selfLink": _COMPUTE,
            "address": _reserved_address,
            "creationTimestamp": lambda resource: resource.created,
            "effectiveLabels": _labels,
            "pulumiLabels": _labels,
        },
        uses=(Use("network", NETWORK, "blocks"),),
        refused_late=(rules.compute_name,),
    ),
    ADDRESS: ResourceModel(
        address="projects/{project}/regions/{region}/addresses/{name}",
        outputs={
            "selfLink": _COMPUTE,
            "address": _reserved_address,
            "creationTimestamp": lambda resource: resource.created,
            "effectiveLabels": _labels,
            "pulumiLabels": _labels,
        },
        uses=(Use("network", NETWORK, "blocks"), Use("subnetwork", SUBNETWORK, "blocks")),
        refused_late=(rules.compute_name,),
    ),
    ROUTER: ResourceModel(
        address="projects/{project}/regions/{region}/routers/{name}",
        outputs={"selfLink": _COMPUTE, "creationTimestamp": lambda resource: resource.created},
        uses=(Use("network", NETWORK, "blocks"),),
        refused_late=(rules.compute_name,),
    ),
    "gcp:compute/routerNat:RouterNat": ResourceModel(
        address="{project}/{region}/{router}/{name}",
        uses=(Use("router", ROUTER, "contained"), Use("natIps[]", ADDRESS, "blocks")),
        refused_late=(rules.compute_name,),
    ),
    "gcp:compute/firewall:Firewall": ResourceModel(
        address="projects/{project}/global/firewalls/{name}",
        outputs={"selfLink": _COMPUTE, "creationTimestamp": lambda resource: resource.created},
        uses=(Use("network", NETWORK, "blocks"),),
        refused_late=(rules.compute_name,),
    ),
    # A network has one connection to Google's services, so the network is its address.
    PEERING: ResourceModel(
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
    CONNECTOR: ResourceModel(
        address="projects/{project}/locations/{region}/connectors/{name}",
        outputs={
            "selfLink": "{address}",
            "state": "READY",
            "connectedProjects": lambda resource: [resource["project"]],
        },
        uses=(Use("network", NETWORK, "blocks"), Use("subnet.name", SUBNETWORK, "blocks")),
        refused_late=(rules.connector_range,),
    ),
    # Its keys
    KEY_RING: ResourceModel(
        address="projects/{project}/locations/{location}/keyRings/{name}", deletion="forgets"
    ),
    KEY: ResourceModel(
        address="{keyRing}/cryptoKeys/{name}",
        outputs={
            "primaries": lambda resource: [
                {"name": f"{resource.address}/cryptoKeyVersions/1", "state": "ENABLED"}
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
    SQL: ResourceModel(
        address="projects/{project}/instances/{name}",
        id="{name}",
        outputs={
            "connectionName": "{project}:{region}:{name}",
            "selfLink": "https://sqladmin.googleapis.com/sql/v1beta4/{address}",
            "privateIpAddress": _sql_private,
            "publicIpAddress": _sql_public,
            "firstIpAddress": lambda resource: _sql_public(resource) or _sql_private(resource),
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
    "gcp:sql/database:Database": ResourceModel(
        address="projects/{project}/instances/{instance}/databases/{name}",
        outputs={
            "selfLink": "https://sqladmin.googleapis.com/sql/v1beta4/{address}",
            "charset": lambda resource: resource.get("charset", "UTF8"),
            "collation": lambda resource: resource.get("collation", "en_US.UTF8"),
        },
        uses=(Use("instance", SQL, "contained"),),
    ),
    "gcp:sql/user:User": ResourceModel(
        address="projects/{project}/instances/{instance}/users/{name}",
        id="{name}//{instance}",
        uses=(Use("instance", SQL, "contained"),),
    ),
    "gcp:redis/instance:Instance": ResourceModel(
        address="projects/{project}/locations/{region}/instances/{name}",
        outputs={
            "host": Resource.private_address,
            "port": _redis_port,
            "authString": lambda resource: (
                resource.uuid("auth") if resource.get("authEnabled") else None
            ),
            "serverCaCerts": _redis_has_tls,
            "createTime": lambda resource: resource.created,
            "currentLocationId": lambda resource: (
                resource.get("locationId") or f"{resource['region']}-a"
            ),
            "locationId": lambda resource: resource.get("locationId") or f"{resource['region']}-a",
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
    BUCKET: ResourceModel(
        address="b/{name}",
        id="{name}",
        outputs={
            "selfLink": "https://www.googleapis.com/storage/v1/b/{name}",
            "url": "gs://{name}",
            "projectNumber": lambda resource: int(resource.number_of_project()),
            "timeCreated": lambda resource: resource.created,
            "updated": lambda resource: resource.updated,
            "location": lambda resource: resource["location"].upper(),
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
    REPOSITORY: ResourceModel(
        address="projects/{project}/locations/{location}/repositories/{repositoryId}",
        name="repositoryId",
        outputs={
            "name": "{repositoryId}",
            "registryUri": "{location}-docker.pkg.dev/{project}/{repositoryId}",
            "createTime": lambda resource: resource.created,
            "updateTime": lambda resource: resource.updated,
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
    ACCOUNT: ResourceModel(
        address="projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
        name="accountId",
        bare=_account_of_email,
        outputs={
            "name": "{address}",
            "email": _account_email,
            "member": lambda resource: f"serviceAccount:{_account_email(resource)}",
            "uniqueId": "{digits21}",
        },
        refused_early=(rules.account_id,),
    ),
    "gcp:serviceaccount/iAMMember:IAMMember": _grant(
        "{serviceAccountId}", Use("serviceAccountId", ACCOUNT, "contained")
    ),
    POOL: ResourceModel(
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
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": ResourceModel(
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
    SECRET: ResourceModel(
        address="projects/{project}/secrets/{secretId}",
        name="secretId",
        outputs={
            "name": "projects/{number}/secrets/{secretId}",
            "createTime": lambda resource: resource.created,
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
    SECRET_VERSION: ResourceModel(
        address="{secret}/versions/{uuid}",
        id=lambda resource: f"{resource['secret']}/versions/{resource.memory['number']}",
        name="",
        outputs={
            "name": lambda resource: f"{resource['secret']}/versions/{resource.memory['number']}",
            "version": lambda resource: str(resource.memory["number"]),
            "createTime": lambda resource: resource.created,
        },
        uses=(Use("secret", SECRET, "contained"),),
        remembers="number",
    ),
    SECRET_GRANT: _grant(
        "projects/{project}/secrets/{secretId}", Use("secretId", SECRET, "contained")
    ),
    TOPIC: ResourceModel(
        address="projects/{project}/topics/{name}",
        outputs={"effectiveLabels": _labels, "pulumiLabels": _labels},
        uses=(_key("kmsKeyName", "pubsub.googleapis.com"),),
    ),
    TOPIC_GRANT: _grant("projects/{project}/topics/{topic}", Use("topic", TOPIC, "contained")),
    # What runs there
    RUN_SERVICE: _run(
        "services",
        uri=_run_url,
        urls=lambda resource: [_run_url(resource)],
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
    CLUSTER: ResourceModel(
        address="projects/{project}/locations/{location}/clusters/{name}",
        outputs={
            "endpoint": Resource.public_address,
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
    WORKER: ResourceModel(
        address="workers/{name}",  # routes name a worker without its account
        id="{hex32}",
        outputs={
            "createdOn": lambda resource: resource.created,
            "updatedOn": lambda resource: resource.updated,
        },
    ),
    WORKER_VERSION: ResourceModel(
        address="workers/{workerId}/versions/{uuid}",
        id="{uuid}",
        name="",
        outputs={
            "createdOn": lambda resource: resource.created,
            "number": lambda resource: resource.memory["number"],
            "source": "api",
        },
        uses=(Use("workerId", WORKER, "contained"),),
        remembers="number",
        deletion="forgets",
    ),
    "cloudflare:index/workersDeployment:WorkersDeployment": ResourceModel(
        address="workers/{scriptName}/deployments/{uuid}",
        id="{uuid}",
        name="",
        outputs={
            "createdOn": lambda resource: resource.created,
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
    "cloudflare:index/workersRoute:WorkersRoute": ResourceModel(
        address="zones/{zoneId}/routes/{pattern}",
        id="{hex32}",
        name="",
        uses=(Use("script", WORKER, "blocks"),),
    ),
    "cloudflare:index/dnsRecord:DnsRecord": ResourceModel(
        address=lambda resource: (
            resource.text("zones/{zoneId}/records/{name}/{type}/") + _record_content(resource)
        ),
        id="{hex32}",
        name="",
        outputs={
            "createdOn": lambda resource: resource.created,
            "modifiedOn": lambda resource: resource.updated,
            "proxiable": lambda resource: resource.get("type") in ("A", "AAAA", "CNAME"),
        },
        rivals=_record_rivals,
        refused_late=(rules.record_ttl,),
    ),
    R2_BUCKET: ResourceModel(
        address="accounts/{accountId}/r2/{name}",
        id="{name}",
        outputs={"creationDate": lambda resource: resource.created},
        refused_late=(rules.r2_bucket_name,),
    ),
    "cloudflare:index/r2BucketCors:R2BucketCors": ResourceModel(
        address="accounts/{accountId}/r2/{bucketName}/cors",
        id="{bucketName}",
        name="",
        uses=(Use("bucketName", R2_BUCKET, "contained"),),
        repeatable=True,
    ),
    "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle": ResourceModel(
        address="accounts/{accountId}/r2/{bucketName}/lifecycle",
        id="{bucketName}",
        name="",
        uses=(Use("bucketName", R2_BUCKET, "contained"),),
        repeatable=True,
    ),
    "cloudflare:index/zoneSetting:ZoneSetting": ResourceModel(
        address="zones/{zoneId}/settings/{settingId}",
        id="{settingId}",
        name="",
        outputs={"editable": lambda _: True, "modifiedOn": lambda resource: resource.updated},
        repeatable=True,
    ),
    # Vercel
    PROJECT: ResourceModel(
        address="projects/{name}",
        id="prj_{letters24}",
        refused_early=(rules.vercel_protection,),
    ),
    "vercel:index/projectDomain:ProjectDomain": ResourceModel(
        address="domains/{domain}",
        id="{domain}",
        name="",
        uses=(Use("projectId", PROJECT, "contained"),),
    ),
    "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable": ResourceModel(
        address=lambda resource: (
            resource.text("projects/{projectId}/env/{key}/") + _variable_scope(resource)
        ),
        id="{letters16}",
        name="",
        uses=(Use("projectId", PROJECT, "contained"),),
        refused_early=(rules.vercel_targets,),
    ),
    "vercel:index/deployment:Deployment": ResourceModel(
        address="projects/{projectId}/deployments/{letters24}",
        id="dpl_{letters24}",
        name="",
        outputs={
            "url": lambda resource: f"{resource.hexadecimal(9)}-sandbox.vercel.app",
            "domains": lambda resource: [f"{resource.hexadecimal(9)}-sandbox.vercel.app"],
        },
        uses=(Use("projectId", PROJECT, "contained"),),
    ),
    # Pulumi Cloud
    **{
        f"pulumiservice:index:{name}": ResourceModel(
            address="{organization}/{project}/{stack}", name=""
        )
        for name in ("DeploymentSettings", "StackTags")
    },
    # Random
    "random:index/randomPassword:RandomPassword": ResourceModel(
        address="passwords/{uuid}",
        # The real provider calls each one "none" and keeps it in the state alone; the cloud here
        # has to tell one from another.
        id="none-{uuid}",
        name="",
        outputs={
            "result": _password,
            "bcryptHash": lambda resource: f"$2a$10${resource.letters(53, 'bcrypt')}",
            "number": lambda resource: resource.get("numeric", True),
        },
        refused_early=(rules.password_length,),
    ),
    "random:index/randomString:RandomString": ResourceModel(
        address="strings/{uuid}", id=_password, name="", outputs={"result": _password}
    ),
    "random:index/randomId:RandomId": ResourceModel(
        address="ids/{uuid}",
        id=lambda resource: _url_base64(_random_bytes(resource)),
        name="",
        outputs={
            "hex": _random_id(bytes.hex),
            "dec": _random_id(lambda content: str(int.from_bytes(content))),
            "b64Std": _random_id(lambda content: base64.b64encode(content).decode()),
            "b64Url": _random_id(_url_base64),
        },
    ),
}
