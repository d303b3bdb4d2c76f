"""The program of the recorded changes: a small estate, with some resources in every stage.

It reads production's real settings and takes the estate's types, names and order, so that a change
to production's stack file does here what it does to the estate, in a document of a readable size.
"""

import base64

import pulumi
import pulumi_cloudflare as cloudflare
import pulumi_gcp as gcp
import pulumi_random as random
import pulumiverse_vercel as vercel
from pulumi import Output, ResourceOptions

from components.base import PullComponent, Stage
from components.config import read_engine_config
from components.names import Names
from components.providers import make_providers
from components.services.cloud_run import revision_name, traffic

settings = read_engine_config()
names = Names(settings.environment)
project, region = settings.gcp.project, settings.gcp.region
account_id = settings.cloudflare.account_id
opts = ResourceOptions(providers=make_providers(settings))
protect = ResourceOptions(protect=settings.protect)

# -- 1 infrastructure ------------------------------------------------------------------------------

encryption = PullComponent("pull:platform:Encryption", "encryption", Stage.INFRASTRUCTURE, opts)
ring = gcp.kms.KeyRing(
    f"encryption-ring-{region}",
    project=project,
    name=names.key_ring,
    location=region,
    opts=encryption.options(protect),
)
gcp.kms.CryptoKey(
    "encryption-key-postgres", name="postgres", key_ring=ring.id, opts=encryption.options(protect)
)

postgres = PullComponent("pull:data:Postgres", "postgres", Stage.INFRASTRUCTURE, opts)
database = gcp.sql.DatabaseInstance(
    "postgres-instance",
    project=project,
    region=region,
    name=names.postgres,
    database_version="POSTGRES_16",
    settings={
        "edition": "ENTERPRISE",
        "tier": f"db-custom-{settings.postgres.cpus}-{settings.postgres.memory_mib}",
        "availability_type": settings.postgres.availability,
        "backup_configuration": {
            "enabled": True,
            "point_in_time_recovery_enabled": True,
            "start_time": settings.postgres.backup_start,
            "location": settings.postgres.backup_location,
            "transaction_log_retention_days": settings.postgres.transaction_log_days,
        },
    },
    opts=postgres.options(protect),
)
password = random.RandomPassword(
    "postgres-password",
    length=32,
    special=False,
    keepers={"generation": str(settings.postgres.password_generation)},
    opts=postgres.options(),
)
user = gcp.sql.User(
    "postgres-user",
    project=project,
    instance=database.name,
    name="pull",
    password=password.result,
    opts=postgres.options(protect),
)

redis = PullComponent("pull:data:Redis", "redis", Stage.INFRASTRUCTURE, opts)
cache = gcp.redis.Instance(
    "redis-instance",
    project=project,
    region=region,
    name=names.redis,
    tier=settings.redis.tier,
    memory_size_gb=settings.redis.memory_gib,
    redis_version="REDIS_7_2",
    opts=redis.options(protect),
)

backups = PullComponent("pull:platform:Backups", "backups", Stage.INFRASTRUCTURE, opts)
exports = gcp.storage.Bucket(
    "backups-bucket",
    project=project,
    name=names.backups(project),
    location=settings.backups.location,
    uniform_bucket_level_access=True,
    public_access_prevention="enforced",
    opts=backups.options(protect),
)
gcp.storage.BucketIAMMember(
    "backups-writer",
    bucket=exports.name,
    role="roles/storage.objectCreator",
    member=database.service_account_email_address.apply("serviceAccount:{}".format),
    opts=backups.options(),
)

# -- assets

assets = PullComponent("pull:services:Assets", "assets", Stage.INFRASTRUCTURE, opts)
uploads = cloudflare.R2Bucket(
    "assets-bucket", account_id=account_id, name=names.assets, opts=assets.options(protect)
)
cloudflare.R2BucketCors(
    "assets-cors",
    account_id=account_id,
    bucket_name=uploads.name,
    rules=[{"allowed": {"methods": ["GET"], "origins": ["https://app.pull.com"]}}],
    opts=assets.options(),
)

# -- 2 secrets and configuration -------------------------------------------------------------------

secrets = PullComponent("pull:secrets:SecretStore", "secrets", Stage.CONFIGURATION, opts)
versions = []
for name, url, needed in (
    ("database-url", Output.format("{}:{}@{}", user.name, password.result, database.name), user),
    ("redis-url", cache.host, cache),
):
    secret = gcp.secretmanager.Secret(
        f"secrets-{name}",
        project=project,
        secret_id=names.secret(name.upper().replace("-", "_")),
        replication={"auto": {}},
        opts=secrets.options(protect),
    )
    value: Output[str] = Output.secret(url)
    version = gcp.secretmanager.SecretVersion(
        f"secrets-{name}-version",
        secret=secret.id,
        secret_data=value,
        deletion_policy="DISABLE",
        opts=secrets.options(ResourceOptions(depends_on=[needed])),
    )
    versions.append(version)

# -- 3 api -----------------------------------------------------------------------------------------

api = PullComponent("pull:services:Api", "api", Stage.API, opts)
worker = cloudflare.Worker(
    "api-worker", account_id=account_id, name=names.api, opts=api.options(protect)
)
code = cloudflare.WorkerVersion(
    "api-version",
    account_id=account_id,
    worker_id=worker.id,
    main_module="worker.js",
    modules=[
        {
            "name": "worker.js",
            "content_type": "application/javascript+module",
            "content_base64": base64.b64encode(b"export default {};").decode(),
        }
    ],
    compatibility_date=settings.api.compatibility_date,
    opts=api.options(),
)
deployment = cloudflare.WorkersDeployment(
    "api-deployment",
    account_id=account_id,
    script_name=worker.name,
    strategy="percentage",
    versions=[
        {
            "version_id": code.id if share.version == "current" else share.version,
            "percentage": share.percentage,
        }
        for share in settings.api.versions
    ],
    opts=api.options(ResourceOptions(depends_on=versions)),
)
route = cloudflare.WorkersRoute(
    "api-route",
    zone_id=settings.cloudflare.zone_id,
    pattern=f"{settings.api.domain}/*",
    script=worker.name,
    opts=api.options(ResourceOptions(depends_on=[deployment])),
)

# -- 4 web -----------------------------------------------------------------------------------------

web = PullComponent("pull:services:Web", "web", Stage.WEB, opts)
site = vercel.Project("web-project", name=names.web, framework="nextjs", opts=web.options(protect))
domain = vercel.ProjectDomain(
    "web-domain",
    project_id=site.id,
    domain=settings.web.domain,
    opts=web.options(ResourceOptions(depends_on=[route])),
)

# -- 5 workers -------------------------------------------------------------------------------------

workers = {}
for worker_type, size in settings.workers.fleet.items():
    component = PullComponent(
        "pull:services:TemporalWorker", f"worker-{worker_type}", Stage.WORKERS, opts
    )
    service = names.worker(worker_type)
    template: gcp.cloudrunv2.ServiceTemplateArgsDict = {
        "annotations": {"pull.com/password-generation": str(settings.postgres.password_generation)},
        "containers": [{"image": size.image or settings.workers.image}],
    }
    revision = revision_name(service, template)
    gcp.cloudrunv2.Service(
        f"worker-{worker_type}-service",
        project=project,
        location=region,
        name=service,
        ingress="INGRESS_TRAFFIC_INTERNAL_ONLY",
        template={**template, "revision": revision},
        traffics=traffic(size.traffic, revision),
        opts=component.options(ResourceOptions(depends_on=[domain])),
    )
    workers[service] = {"described": revision}

pulumi.export("api_version", code.id)
pulumi.export("workers", workers)
