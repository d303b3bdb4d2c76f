"""Google Cloud: the resource types of pulumi-gcp.

``replace_on`` and ``secret_outputs`` are those of pulumi-gcp 10.2.0: its schema, and the
``ForceNew`` fields of the Terraform provider that it is built from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from resource_types.record import TrafficSplit, grant, grant_forms, ordinary, stateful
from resource_types.updates import (
    added,
    changes,
    cleared,
    decreases,
    gathered,
    ignored,
    increases,
    leaves,
    limits_more,
    loses,
    lowers_version,
    moves_range,
    rarer,
    refused,
    removed,
    replaces,
    stops,
    turns_off,
    turns_on,
)

LABELS: Final = ("effectiveLabels", "pulumiLabels")
"""Outputs that the provider marks as secret on every type with labels."""


def _drains_another_address(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return any(
        address not in old.get("natIps", ()) or address in new.get("natIps", ())
        for address in new.get("drainNatIps", ())
        if address not in old.get("drainNatIps", ())
    )


def _label_set_twice(_old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    names = {"authToken": "auth_token", "password": "password", "serviceKey": "service_key"}
    labels = new.get("labels", {})
    return any(names.get(name) in labels for name in new.get("sensitiveLabels", ()))


def _recovers_mysql_to_a_point_in_time(_old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    backups = new.get("settings", {}).get("backupConfiguration", {})
    is_mysql = str(new.get("databaseVersion")).startswith("MYSQL")
    return is_mysql and bool(backups.get("pointInTimeRecoveryEnabled"))


REPOSITORY: Final = stateful(
    "gcp:artifactregistry/repository:Repository",
    loss="the images that a rollback needs",
    summary_fields=("format", "location", "mode"),
    name_property="repositoryId",
    replace_on=(
        "format",
        "kmsKeyName",
        "location",
        "mavenConfig.allowSnapshotOverwrites",
        "mavenConfig.versionPolicy",
        "mode",
        "project",
        "remoteRepositoryConfig",
        "repositoryId",
    ),
    secret_outputs=LABELS,
    updates=gathered(
        loses("the images that the new policy deletes", added, "cleanupPolicies"),
        loses("the images that the policy deletes", turns_off, "cleanupPolicyDryRun", unset=False),
        loses("the guarantee that a tag keeps its image", turns_off, "dockerConfig.immutableTags"),
    ),
    harmless_updates=("description", "labels", "vulnerabilityScanningConfig"),
)
REPOSITORY_IAM: Final = grant_forms(
    "gcp:artifactregistry/repositoryIam{}:RepositoryIam{}",
    member_replace_on=("condition", "location", "member", "project", "repository", "role"),
)
CERTIFICATE: Final = ordinary(
    "gcp:certificatemanager/certificate:Certificate",
    outage="TLS of the names in the certificate",
    replace_on=("location", "managed", "name", "project", "scope"),
    secret_outputs=LABELS,
)
RUN_V1_DOMAIN_MAPPING: Final = ordinary(
    "gcp:cloudrun/domainMapping:DomainMapping",
    outage="the host name of the service",
    exposes_endpoint=True,
)
RUN_V1_IAM: Final = grant_forms("gcp:cloudrun/iam{}:Iam{}")
RUN_V1_SERVICE: Final = ordinary(
    "gcp:cloudrun/service:Service",
    outage="the service",
)
RUN_JOB: Final = ordinary(
    "gcp:cloudrunv2/job:Job",
    outage="the job",
    deletion_locks={"deletionProtection": True},
    pod_spec="template.template",
)
RUN_JOB_IAM: Final = grant_forms("gcp:cloudrunv2/jobIam{}:JobIam{}")
RUN_SERVICE: Final = ordinary(
    "gcp:cloudrunv2/service:Service",
    outage="the service",
    summary_fields=(
        "template.containers[0].resources.limits.memory",
        "template.containers[0].resources.limits.cpu",
        "template.scaling.minInstanceCount",
        "template.scaling.maxInstanceCount",
        "template.timeout",
        "template.containers[0].ports.containerPort",
        "ingress",
        "template.vpcAccess.egress",
        "template.revision",
    ),
    exposure_properties=("defaultUriDisabled", "ingress", "invokerIamDisabled"),
    traffic=TrafficSplit(path="traffics", target="revision"),
    deletion_locks={"deletionProtection": True},
    replace_on=("location", "name", "project", "tags"),
    ignore_changes=("client", "clientVersion"),
    secret_outputs=LABELS,
    pod_spec="template",
    updates=gathered(
        loses(
            "the instances that always run",
            stops,
            "scaling.manualInstanceCount",
            "scaling.minInstanceCount",
            "template.scaling.minInstanceCount",
            unset=0,
        ),
    ),
)
RUN_SERVICE_IAM: Final = grant_forms(
    "gcp:cloudrunv2/serviceIam{}:ServiceIam{}",
    member_replace_on=("condition", "location", "member", "name", "project", "role"),
)
RUN_WORKER_POOL: Final = ordinary(
    "gcp:cloudrunv2/workerPool:WorkerPool",
    outage="the workers",
    summary_fields=(
        "template.containers[0].resources.limits.memory",
        "template.containers[0].resources.limits.cpu",
        "scaling.manualInstanceCount",
        "template.vpcAccess.egress",
        "template.revision",
    ),
    traffic=TrafficSplit(path="instanceSplits", target="revision"),
    deletion_locks={"deletionProtection": True},
    replace_on=("location", "name", "project", "template.containers[].dependsOns"),
    ignore_changes=("client", "clientVersion"),
    secret_outputs=LABELS,
    pod_spec="template",
    updates=gathered(
        loses(
            "the instances that always run",
            stops,
            "scaling.manualInstanceCount",
            "scaling.minInstanceCount",
            unset=0,
        ),
    ),
)
RUN_WORKER_POOL_IAM: Final = grant_forms(
    "gcp:cloudrunv2/workerPoolIam{}:WorkerPoolIam{}",
    member_replace_on=("condition", "location", "member", "name", "project", "role"),
)
ADDRESS: Final = stateful(
    "gcp:compute/address:Address",
    loss="the address on our partners' allow lists",
    summary_fields=(),
    replace_on=(
        "address",
        "addressType",
        "description",
        "ipCollection",
        "ipVersion",
        "ipv6EndpointType",
        "name",
        "network",
        "networkTier",
        "prefixLength",
        "project",
        "purpose",
        "region",
        "subnetwork",
    ),
    secret_outputs=LABELS,
    harmless_updates=("labels",),
)
FIREWALL: Final = ordinary(
    "gcp:compute/firewall:Firewall",
    outage="the connections that it allows or denies",
    exposes_endpoint=True,
    replace_on=("direction", "name", "params", "project"),
    updates=gathered(
        loses("the connections that it allows or denies", turns_on, "disabled", unset=False)
    ),
)
GLOBAL_ADDRESS: Final = stateful(
    "gcp:compute/globalAddress:GlobalAddress",
    loss="an address that clients use",
    summary_fields=("purpose", "address", "prefixLength"),
    replace_on=(
        "address",
        "addressType",
        "description",
        "ipVersion",
        "name",
        "network",
        "prefixLength",
        "project",
        "purpose",
    ),
    secret_outputs=LABELS,
    harmless_updates=("labels",),
)
MANAGED_SSL_CERTIFICATE: Final = ordinary(
    "gcp:compute/managedSslCertificate:ManagedSslCertificate",
    outage="TLS of the names in the certificate",
    replace_on=("description", "managed", "name", "project", "type"),
)
NETWORK: Final = stateful(
    "gcp:compute/network:Network",
    loss="the private network",
    summary_fields=("autoCreateSubnetworks", "routingMode"),
    replace_on=(
        "autoCreateSubnetworks",
        "description",
        "internalIpv6Range",
        "name",
        "networkProfile",
        "params",
        "project",
    ),
    harmless_updates=("routingMode",),
)
NETWORK_ENDPOINT_GROUP: Final = ordinary(
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup",
    outage="the requests that reach the service through it",
)
ROUTER: Final = ordinary(
    "gcp:compute/router:Router",
    outage="every connection to the internet",
    replace_on=(
        "encryptedInterconnectRouter",
        "name",
        "nccGateway",
        "network",
        "params",
        "project",
        "region",
    ),
)
ROUTER_NAT: Final = ordinary(
    "gcp:compute/routerNat:RouterNat",
    outage="every connection to the internet",
    replace_on=("endpointTypes", "initialNatIps", "name", "project", "region", "router", "type"),
    updates=gathered(
        loses("an address on our partners' allow lists", removed, "natIps"),
        loses("the connections of a subnet to the internet", removed, "subnetworks"),
        refused(
            path="",
            when=_drains_another_address,
            text="drainNatIps may only name addresses that natIps had before and has no longer",
            source="resource_compute_router_nat.go: resourceComputeRouterNatDrainNatIpsCustomDiff",
        ),
    ),
)
SSL_POLICY: Final = ordinary(
    "gcp:compute/sSLPolicy:SSLPolicy",
    outage="the demand for a recent TLS version",
)
SUBNETWORK: Final = ordinary(
    "gcp:compute/subnetwork:Subnetwork",
    outage="everything that runs in the subnet",
    summary_fields=("ipCidrRange", "region", "privateIpGoogleAccess"),
    replace_on=(
        "description",
        "externalIpv6Prefix",
        "internalIpv6Prefix",
        "name",
        "network",
        "params",
        "project",
        "region",
        "reservedInternalRange",
        "resolveSubnetMask",
    ),
    updates=gathered(
        replaces(
            path="ipCidrRange",
            when=moves_range,
            source="resource_compute_subnetwork.go: IsShrinkageIpCidr",
        ),
    ),
)
GKE_CLUSTER: Final = stateful(
    "gcp:container/cluster:Cluster",
    loss="everything that runs in the cluster",
    summary_fields=(),
    deletion_locks={"deletionProtection": True},
    replace_on=(
        "clusterAutoscaling.autoProvisioningDefaults.bootDiskKmsKey",
        "clusterIpv4Cidr",
        "confidentialNodes",
        "datapathProvider",
        "dataplaneOptimizationMode",
        "defaultMaxPodsPerNode",
        "description",
        "enableAutopilot",
        "enableKubernetesAlpha",
        "enableTpu",
        "initialNodeCount",
        "ipAllocationPolicy",
        "location",
        "masterAuth.clientCertificateConfig",
        "name",
        "network",
        "networkingMode",
        "nodeConfig",
        "nodePools",
        "privateClusterConfig.masterIpv4CidrBlock",
        "privateClusterConfig.privateEndpointSubnetwork",
        "project",
        "subnetwork",
        "tpuConfig.enabled",
        "tpuConfig.useServiceNetworking",
        "userManagedKeysConfig.aggregationCa",
        "userManagedKeysConfig.clusterCa",
        "userManagedKeysConfig.etcdApiCa",
        "userManagedKeysConfig.etcdPeerCa",
    ),
    secret_outputs=LABELS,
    updates=gathered(
        loses("the encryption of secrets in the cluster", changes, "databaseEncryption"),
        loses("the pods on the nodes of a zone", removed, "nodeLocations"),
        loses("the check of images", changes, "binaryAuthorization"),
        loses("the identity of new nodes", changes, "clusterAutoscaling"),
        (
            replaces(
                path=path,
                when=turns_off,
                source="resource_container_cluster.go: isBeenEnabled",
            )
            for path in ("enableFqdnNetworkPolicy", "enableL4IlbSubsetting")
        ),
        replaces(
            path="dnsConfig.additiveVpcScopeDnsDomain",
            when=changes,
            given={"enableAutopilot": (True,)},
            source="resource_container_cluster.go: containerClusterAutopilotCustomizeDiff",
        ),
        replaces(
            path="enableK8sBetaApis.enabledApis",
            when=removed,
            source="resource_container_cluster.go: containerClusterEnableK8sBetaApisCustomizeDiff",
        ),
    ),
    harmless_updates=(
        "controlPlaneEndpointsConfig",
        "costManagementConfig",
        "dnsConfig",
        "gatewayApiConfig",
        "loggingConfig",
        "maintenancePolicy",
        "masterAuthorizedNetworksConfig",
        "minMasterVersion",
        "monitoringConfig",
        "nodePoolAutoConfig",
        "nodeVersion",
        "notificationConfig",
        "privateClusterConfig",
        "releaseChannel",
        "resourceLabels",
        "secretManagerConfig",
        "securityPostureConfig",
        "verticalPodAutoscaling",
        "workloadIdentityConfig",
    ),
)
GKE_NODE_POOL: Final = ordinary(
    "gcp:container/nodePool:NodePool",
    outage="the pods on the nodes",
    replace_on=(
        "cluster",
        "initialNodeCount",
        "location",
        "maxPodsPerNode",
        "name",
        "namePrefix",
        "networkConfig.acceleratorNetworkProfile",
        "networkConfig.additionalNodeNetworkConfigs",
        "networkConfig.additionalPodNetworkConfigs",
        "networkConfig.createPodRange",
        "networkConfig.podCidrOverprovisionConfig",
        "networkConfig.podIpv4CidrBlock",
        "networkConfig.podRange",
        "networkConfig.subnetwork",
        "nodeConfig",
        "placementPolicy",
        "project",
        "queuedProvisioning",
    ),
)
DNS_ZONE: Final = ordinary(
    "gcp:dns/managedZone:ManagedZone",
    outage="every name of the zone",
    replace_on=(
        "dnsName",
        "name",
        "project",
        "reverseLookup",
        "serviceDirectoryConfig",
        "visibility",
    ),
    secret_outputs=LABELS,
)
FOLDER_IAM: Final = grant_forms("gcp:folder/iAM{}:IAM{}")
WORKLOAD_IDENTITY_POOL: Final = stateful(
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool",
    loss="the sign-in of CI (the id stays reserved for 30 days)",
    summary_fields=(),
    name_property="workloadIdentityPoolId",
    permissions="grants",
    replace_on=("project", "workloadIdentityPoolId"),
    updates=gathered(loses("the sign-in of CI", turns_on, "disabled", unset=False)),
    harmless_updates=("description", "displayName"),
)
WORKLOAD_IDENTITY_POOL_IAM: Final = grant_forms(
    "gcp:iam/workloadIdentityPoolIam{}:WorkloadIdentityPoolIam{}"
)
WORKLOAD_IDENTITY_POOL_PROVIDER: Final = stateful(
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
    loss="the sign-in of CI (the id stays reserved for 30 days)",
    summary_fields=("oidc.issuerUri", "attributeCondition"),
    name_property="workloadIdentityPoolProviderId",
    permissions="grants",
    replace_on=("project", "workloadIdentityPoolId", "workloadIdentityPoolProviderId"),
    updates=gathered(loses("the sign-in of CI", turns_on, "disabled", unset=False)),
    # The pack decides who may sign in.
    harmless_updates=(
        "attributeCondition",
        "attributeMapping",
        "description",
        "displayName",
        "oidc",
    ),
)
CRYPTO_KEY: Final = stateful(
    "gcp:kms/cryptoKey:CryptoKey",
    loss="the key that data is encrypted with",
    summary_fields=("purpose", "rotationPeriod"),
    replace_on=(
        "cryptoKeyBackend",
        "destroyScheduledDuration",
        "importOnly",
        "keyRing",
        "name",
        "purpose",
        "versionTemplate.protectionLevel",
    ),
    secret_outputs=LABELS,
    updates=gathered(
        loses("the rotation of the key", cleared, "rotationPeriod"),
        loses("the present age of the key", increases, "rotationPeriod"),
    ),
    harmless_updates=("labels", "versionTemplate.algorithm"),
)
CRYPTO_KEY_IAM: Final = grant_forms(
    "gcp:kms/cryptoKeyIAM{}:CryptoKeyIAM{}",
    member_replace_on=("condition", "cryptoKeyId", "member", "role"),
)
KEY_RING: Final = stateful(
    "gcp:kms/keyRing:KeyRing",
    loss="the keys that data is encrypted with",
    summary_fields=("location",),
    replace_on=("location", "name", "project"),
)
KEY_RING_IAM: Final = grant_forms("gcp:kms/keyRingIAM{}:KeyRingIAM{}")
LOG_METRIC: Final = ordinary(
    "gcp:logging/metric:Metric",
    outage="the alerts on the metric",
    replace_on=("metricDescriptor.labels[].key", "metricDescriptor.labels[].valueType", "project"),
)
LOG_BUCKET: Final = ordinary(
    "gcp:logging/projectBucketConfig:ProjectBucketConfig",
    outage="the retention of logs",
    name_property="",
    updates=gathered(loses("the oldest logs", decreases, "retentionDays", unset=30)),
)
VALKEY_INSTANCE: Final = ordinary(
    "gcp:memorystore/instance:Instance", outage=None, name_property=""
)
ALERT_POLICY: Final = ordinary(
    "gcp:monitoring/alertPolicy:AlertPolicy",
    outage="the alert",
    name_property="",
    replace_on=("project",),
    updates=gathered(loses("the alert", turns_off, "enabled", unset=True)),
)
DASHBOARD: Final = ordinary(
    "gcp:monitoring/dashboard:Dashboard", outage=None, name_property="", replace_on=("project",)
)
NOTIFICATION_CHANNEL: Final = ordinary(
    "gcp:monitoring/notificationChannel:NotificationChannel",
    outage="the alerts that are sent to it",
    name_property="",
    replace_on=("project",),
    updates=gathered(
        loses("the alerts that are sent to it", turns_off, "enabled", unset=True),
        refused(
            path="",
            when=_label_set_twice,
            text="a label is set in labels and in sensitiveLabels; set it in one of the two",
            source="resource_monitoring_notification_channel.go: sensitiveLabelCustomizeDiff",
        ),
    ),
)
UPTIME_CHECK: Final = ordinary(
    "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig",
    outage="the alert on an outage",
    name_property="",
    replace_on=(
        "checkerType",
        "httpCheck.authInfo.passwordWoVersion",
        "httpCheck.requestMethod",
        "monitoredResource",
        "project",
        "resourceGroup",
        "syntheticMonitor",
    ),
)
ORGANIZATION_IAM: Final = grant_forms("gcp:organizations/iAM{}:IAM{}")
AUDIT_CONFIG: Final = grant(
    "gcp:projects/iAMAuditConfig:IAMAuditConfig", outage="the audit logs that it turns on"
)
PROJECT_IAM: Final = grant_forms(
    "gcp:projects/iAM{}:IAM{}", member_replace_on=("condition", "member", "project", "role")
)
PROJECT_SERVICE: Final = ordinary(
    "gcp:projects/service:Service",
    outage=None,
    name_property="service",
    replace_on=("project", "service"),
)
SERVICE_IDENTITY: Final = ordinary(
    "gcp:projects/serviceIdentity:ServiceIdentity",
    outage=None,
    name_property="service",
    replace_on=("project", "service"),
)
SUBSCRIPTION_IAM: Final = grant_forms("gcp:pubsub/subscriptionIAM{}:SubscriptionIAM{}")
TOPIC: Final = ordinary(
    "gcp:pubsub/topic:Topic",
    outage="the messages to its subscribers",
    replace_on=("name", "project", "tags"),
    secret_outputs=LABELS,
    updates=gathered(
        loses("the oldest messages", decreases, "messageRetentionDuration", unset="0s")
    ),
)
TOPIC_IAM: Final = grant_forms(
    "gcp:pubsub/topicIAM{}:TopicIAM{}",
    member_replace_on=("condition", "member", "project", "role", "topic"),
)
REDIS_INSTANCE: Final = stateful(
    "gcp:redis/instance:Instance",
    loss="the contents of Redis",
    summary_fields=(
        "redisVersion",
        "tier",
        "memorySizeGb",
        "authEnabled",
        "transitEncryptionMode",
        "persistenceConfig.rdbSnapshotPeriod",
    ),
    deletion_locks={"deletionProtection": False},
    replace_on=(
        "alternativeLocationId",
        "authorizedNetwork",
        "connectMode",
        "customerManagedKey",
        "locationId",
        "name",
        "project",
        "region",
        "reservedIpRange",
        "tier",
        "transitEncryptionMode",
    ),
    secret_outputs=("authString", *LABELS),
    updates=gathered(
        replaces(
            path="redisVersion",
            when=lowers_version,
            source="resource_redis_instance.go: isRedisVersionDecreasing",
        ),
        loses("the keys that no longer fit", decreases, "memorySizeGb"),
        loses("the password of Redis", turns_off, "authEnabled", unset=False),
        loses("read replicas", decreases, "replicaCount", unset=0),
        loses("read replicas", leaves("READ_REPLICAS_ENABLED"), "readReplicasMode"),
        loses("the snapshots of Redis", leaves("RDB"), "persistenceConfig.persistenceMode"),
        loses(
            "the changes of more hours, when an instance fails",
            rarer("ONE_HOUR", "SIX_HOURS", "TWELVE_HOURS", "TWENTY_FOUR_HOURS"),
            "persistenceConfig.rdbSnapshotPeriod",
        ),
    ),
    harmless_updates=(
        "displayName",
        "labels",
        "maintenancePolicy",
        "maintenanceVersion",
        "persistenceConfig.rdbSnapshotStartTime",
        "redisConfigs",
    ),
)
REGIONAL_SECRET_IAM: Final = grant_forms(
    "gcp:secretmanager/regionalSecretIam{}:RegionalSecretIam{}", outage=None
)
SECRET: Final = stateful(
    "gcp:secretmanager/secret:Secret",
    loss="every version of the secret",
    summary_fields=("rotation.rotationPeriod",),
    name_property="secretId",
    deletion_locks={"deletionProtection": False},
    replace_on=("project", "replication", "secretId", "tags"),
    ignore_changes=("rotation.nextRotationTime",),
    secret_outputs=LABELS,
    updates=gathered(
        loses("the rotation of the secret", cleared, "rotation.rotationPeriod"),
        loses("the present age of the secret", increases, "rotation.rotationPeriod"),
        loses("the rotation reminders", removed, "topics"),
        loses("every version of the secret, when it expires", added, "expireTime", "ttl"),
        loses(
            "the time in which a destroyed version can be restored",
            decreases,
            "versionDestroyTtl",
            unset="0s",
        ),
        loses("the versions that readers name by alias", removed, "versionAliases"),
    ),
    harmless_updates=("annotations", "labels", "rotation.nextRotationTime"),
)
SECRET_IAM: Final = grant_forms(
    "gcp:secretmanager/secretIam{}:SecretIam{}",
    # The rule stack-no-missing-grant demands the grant of every secret that a service reads.
    outage=None,
    member_replace_on=("condition", "member", "project", "role", "secretId"),
)
SECRET_VERSION: Final = ordinary(
    "gcp:secretmanager/secretVersion:SecretVersion",
    outage=None,
    name_property="",
    secret_value=True,
    replace_on=("isSecretDataBase64", "project", "secret", "secretData", "secretDataWoVersion"),
    secret_outputs=("secretData", "secretDataWo"),
    updates=gathered(loses("the version that services read", turns_off, "enabled", unset=True)),
)
SERVICE_ACCOUNT: Final = stateful(
    "gcp:serviceaccount/account:Account",
    loss="the identity that holds its grants",
    summary_fields=("displayName",),
    name_property="accountId",
    replace_on=("accountId", "project"),
    updates=gathered(
        loses("the sign-in of everything that runs as it", turns_on, "disabled", unset=False)
    ),
    harmless_updates=("description", "displayName"),
)
SERVICE_ACCOUNT_IAM: Final = grant_forms(
    "gcp:serviceaccount/iAM{}:IAM{}",
    member_replace_on=("condition", "member", "role", "serviceAccountId"),
)
SERVICE_ACCOUNT_KEY: Final = ordinary(
    "gcp:serviceaccount/key:Key",
    outage="the sign-in of whoever uses the key",
    name_property="",
    permissions="credential",
)
SERVICE_NETWORKING_CONNECTION: Final = stateful(
    "gcp:servicenetworking/connection:Connection",
    loss="the private connection to the database and to Redis",
    summary_fields=("service",),
    name_property="service",
    replace_on=("network", "service"),
    updates=gathered(
        loses("the address ranges of running instances", removed, "reservedPeeringRanges"),
        loses("its survival of a deletion", leaves("ABANDON"), "deletionPolicy"),
    ),
    harmless_updates=("updateOnCreationFail",),
)
SQL_DATABASE: Final = stateful(
    "gcp:sql/database:Database",
    loss="the tables",
    summary_fields=("instance",),
    replace_on=("instance", "name", "project"),
)
SQL_INSTANCE: Final = stateful(
    "gcp:sql/databaseInstance:DatabaseInstance",
    loss="the database",
    summary_fields=(
        "databaseVersion",
        "settings.edition",
        "settings.tier",
        "settings.availabilityType",
        "settings.diskType",
        "settings.diskSize",
        "settings.diskAutoresize",
        "settings.ipConfiguration.sslMode",
        "settings.ipConfiguration.ipv4Enabled",
        "settings.backupConfiguration.startTime",
        "settings.backupConfiguration.pointInTimeRecoveryEnabled",
        "settings.backupConfiguration.transactionLogRetentionDays",
        "settings.deletionProtectionEnabled",
        "clone.pointInTime",
    ),
    deletion_locks={"deletionProtection": True, "settings.deletionProtectionEnabled": False},
    replace_on=(
        "encryptionKeyName",
        "name",
        "project",
        "region",
        "replicaConfiguration.caCertificate",
        "replicaConfiguration.clientCertificate",
        "replicaConfiguration.clientKey",
        "replicaConfiguration.connectRetryInterval",
        "replicaConfiguration.dumpFilePath",
        "replicaConfiguration.failoverTarget",
        "replicaConfiguration.masterHeartbeatPeriod",
        "replicaConfiguration.password",
        "replicaConfiguration.sslCipher",
        "replicaConfiguration.username",
        "replicaConfiguration.verifyServerCertificate",
        "settings.collation",
    ),
    secret_outputs=("replicaConfiguration", "rootPassword", "rootPasswordWo", "serverCaCerts"),
    updates=gathered(
        loses(
            "everything that was written since the backup",
            added,
            "backupdrBackup",
            "clone",
            "pointInTimeRestoreContext",
            "restoreBackupContext",
        ),
        loses("the way back to the old version", changes, "databaseVersion"),
        loses(
            "the running database", leaves("ALWAYS"), "settings.activationPolicy", unset="ALWAYS"
        ),
        loses("failover to another zone", leaves("REGIONAL"), "settings.availabilityType"),
        loses("the speed of the disk", leaves("PD_SSD"), "settings.diskType", unset="PD_SSD"),
        loses("nodes of the read pool", decreases, "nodeCount"),
        loses("writes, once the disk is full", turns_off, "settings.diskAutoresize", unset=True),
        loses(
            "writes, once the disk is full",
            limits_more,
            "settings.diskAutoresizeLimit",
            unset=0,
        ),
        ignored(
            path="settings.diskSize",
            when=decreases,
            given={"settings.diskAutoresize": (True, None)},
            source="resource_sql_database_instance.go",
        ),
        replaces(
            path="settings.diskSize",
            when=decreases,
            given={"settings.diskAutoresize": (False,)},
            source="resource_compute_disk.go: IsDiskShrinkage",
        ),
        replaces(
            path="settings.ipConfiguration.privateNetwork",
            when=cleared,
            source="resource_sql_database_instance.go: privateNetworkCustomizeDiff",
        ),
        replaces(
            path="settings.autoUpgradeEnabled",
            when=turns_off,
            source="resource_sql_database_instance.go",
        ),
        (
            replaces(
                path=path,
                when=changes,
                source="resource_sql_database_instance.go: isSwitchoverFromOldPrimarySide",
            )
            for path in ("masterInstanceName", "replicaConfiguration.cascadableReplica")
        ),
        refused(
            path="",
            when=_recovers_mysql_to_a_point_in_time,
            text="pointInTimeRecoveryEnabled is for PostgreSQL and SQL Server only",
            source="resource_sql_database_instance.go: pitrSupportDbCustomizeDiff",
        ),
        loses("backups", turns_off, "settings.backupConfiguration.enabled", unset=False),
        loses(
            "recovery to a point in time",
            turns_off,
            "settings.backupConfiguration.pointInTimeRecoveryEnabled",
            unset=False,
        ),
        loses(
            "the oldest days of recovery to a point in time",
            decreases,
            "settings.backupConfiguration.transactionLogRetentionDays",
            unset=7,
        ),
        loses(
            "the oldest backups",
            decreases,
            "settings.backupConfiguration.backupRetentionSettings.retainedBackups",
            unset=7,
        ),
        loses("backups after a deletion", turns_off, "settings.retainBackupsOnDelete", unset=False),
        loses(
            "the backup of a deletion", turns_off, "settings.finalBackupConfig.enabled", unset=False
        ),
        loses("the backup of a deletion", decreases, "settings.finalBackupConfig.retentionDays"),
    ),
    harmless_updates=(
        "maintenanceVersion",
        "rootPassword",
        "rootPasswordWo",
        "rootPasswordWoVersion",
        "settings.backupConfiguration.backupRetentionSettings.retentionUnit",
        "settings.backupConfiguration.location",
        "settings.backupConfiguration.startTime",
        "settings.connectorEnforcement",
        "settings.dataCacheConfig",
        "settings.databaseFlags",
        "settings.denyMaintenancePeriod",
        "settings.edition",
        "settings.insightsConfig",
        # The pack decides who can reach the database.
        "settings.ipConfiguration",
        "settings.locationPreference",
        "settings.maintenanceWindow",
        "settings.passwordValidationPolicy",
        "settings.tier",
        "settings.userLabels",
    ),
)
SQL_USER: Final = stateful(
    "gcp:sql/user:User",
    loss="the owner of the tables",
    summary_fields=("instance",),
    permissions="credential",
    replace_on=("host", "instance", "name", "project", "type"),
    secret_outputs=("password", "passwordWo"),
    updates=gathered(
        loses("permissions in the database", removed, "databaseRoles"),
        loses("its survival of a deletion", leaves("ABANDON"), "deletionPolicy"),
    ),
    harmless_updates=("password", "passwordPolicy", "passwordWo", "passwordWoVersion"),
)
BUCKET: Final = stateful(
    "gcp:storage/bucket:Bucket",
    loss="the backups",
    summary_fields=(
        "location",
        "storageClass",
        "versioning.enabled",
        "uniformBucketLevelAccess",
        "publicAccessPrevention",
    ),
    replace_on=(
        "customPlacementConfig.dataLocations",
        "enableObjectRetention",
        "hierarchicalNamespace",
        "location",
        "name",
        "project",
    ),
    secret_outputs=LABELS,
    updates=gathered(
        loses("the objects that the rules delete", added, "lifecycleRules"),
        loses("the versions of overwritten objects", turns_off, "versioning.enabled", unset=False),
        loses(
            "the time in which a deleted object can be restored",
            decreases,
            "softDeletePolicy.retentionDurationSeconds",
            unset=604800,
        ),
        loses(
            "the time in which no object can be deleted",
            decreases,
            "retentionPolicy.retentionPeriod",
            unset=0,
        ),
        loses("the hold on new objects", turns_off, "defaultEventBasedHold", unset=False),
        loses("the refusal to delete a bucket with objects", turns_on, "forceDestroy", unset=False),
        loses("the block of public access", leaves("enforced"), "publicAccessPrevention"),
        replaces(
            path="retentionPolicy.isLocked",
            when=turns_off,
            source="resource_storage_bucket.go: isPolicyLocked",
        ),
    ),
    harmless_updates=(
        "autoclass",
        "cors",
        "encryption.defaultKmsKeyName",
        "labels",
        "logging",
        "rpo",
        "storageClass",
        "uniformBucketLevelAccess",
    ),
)
BUCKET_IAM: Final = grant_forms(
    "gcp:storage/bucketIAM{}:BucketIAM{}",
    member_replace_on=("bucket", "condition", "member", "role"),
)
HMAC_KEY: Final = ordinary(
    "gcp:storage/hmacKey:HmacKey", outage="the sign-in of whoever uses the key", name_property=""
)
MANAGED_FOLDER_IAM: Final = grant_forms("gcp:storage/managedFolderIam{}:ManagedFolderIam{}")
VPC_CONNECTOR: Final = ordinary(
    "gcp:vpcaccess/connector:Connector",
    outage="the connections of the services to the database and to Redis",
    summary_fields=("ipCidrRange", "machineType", "minInstances", "maxInstances"),
    replace_on=(
        "ipCidrRange",
        "maxThroughput",
        "minThroughput",
        "name",
        "network",
        "project",
        "region",
        "subnet",
    ),
    updates=gathered(
        (
            replaces(
                path=path,
                when=decreases,
                source="resource_vpc_access_connector.go: isInstanceShrinkage",
            )
            for path in ("maxInstances", "minInstances")
        ),
    ),
)
