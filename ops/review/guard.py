"""The guard over operations: what a policy cannot see.

A policy is shown what a resource will be; it sees neither that something goes away nor that it is
replaced. The guard reads a preview's operations and refuses to delete or replace what holds data or
identity, unless somebody approved it in ``approvals/<stack>.yaml``, in a reviewed change, for this
very resource, this operation and a limited time.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pulumi.automation import OpType
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ops.errors import WrongInput
from ops.review.events import Step
from ops.review.locks import is_locked

HOLDS: Final = {
    "cloudflare:index/dnsRecord:DnsRecord": "a name that users reach us by",
    "cloudflare:index/r2Bucket:R2Bucket": "uploaded files",
    "cloudflare:index/worker:Worker": "its versions, and the secrets that it was given by hand",
    "cloudflare:index/zone:Zone": "every name of the domain",
    "gcp:artifactregistry/repository:Repository": "the images that a rollback needs",
    "gcp:compute/address:Address": "the address that partners have on their lists",
    "gcp:compute/globalAddress:GlobalAddress": "the addresses that something is reached at",
    "gcp:compute/network:Network": "the network that everything private is in",
    "gcp:container/cluster:Cluster": "everything that runs in the cluster",
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": "the way in of CI, its id for 30 days",
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": (
        "the way in of CI, its id for 30 days"
    ),
    "gcp:kms/cryptoKey:CryptoKey": "the key that data is encrypted with",
    "gcp:kms/keyRing:KeyRing": "the keys that data is encrypted with",
    "gcp:redis/instance:Instance": "the contents of Redis",
    "gcp:secretmanager/secret:Secret": "every version of the secret",
    "gcp:serviceaccount/account:Account": "the identity that all its grants are to",
    "gcp:servicenetworking/connection:Connection": "the way to the database and to Redis",
    "gcp:sql/database:Database": "the tables",
    "gcp:sql/databaseInstance:DatabaseInstance": "the database",
    "gcp:sql/user:User": "the user that the tables belong to",
    "gcp:storage/bucket:Bucket": "the backups",
    "kubernetes:core/v1:Namespace": "everything in the namespace",
    "kubernetes:core/v1:PersistentVolumeClaim": "the contents of the volume",
    "vercel:index/project:Project": "the project with its deployments and domains",
    "vercel:index/projectDomain:ProjectDomain": "a name that users reach us by",
}
"""What is lost with a resource of the type."""

CHAIN: Final = "external-polygon-chain"
"""The node of the graph that names the contracts; those on mainnet cannot be rolled back."""

Operation = Literal["delete", "replace", "change"]

_OPERATIONS: Final[Mapping[OpType, Operation]] = {
    OpType.DELETE: "delete",
    OpType.REPLACE: "replace",
}


LONGEST: Final = datetime.timedelta(days=90)
"""How far ahead an approval may end: one that nobody remembers approves nothing."""


class Approval(BaseModel):
    """Leave for one operation on one resource, until a day."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    urn: str = Field(min_length=1)
    operation: Operation
    reason: str = Field(min_length=10)
    approved_by: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1)
    expires: datetime.date

    def without_effect(self, today: datetime.date) -> str:
        """Why it approves nothing ``today``; empty where it does."""
        if self.expires < today:
            return f"its approval expired on {self.expires}"
        if self.expires > today + LONGEST:
            return f"its approval runs until {self.expires}: {LONGEST.days} days at the most"
        return ""


class Approvals(BaseModel):
    """The whole of an approval file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An operation that the guard does not let pass.

    Attributes:
        forced_by: the properties that force a replacement, or the replacements that do.
        dependents: URNs of what depends on the resource, nearest first.
    """

    urn: str
    operation: Operation
    loses: str
    forced_by: tuple[str, ...]
    dependents: tuple[str, ...]
    because: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "urn": self.urn,
            "operation": self.operation,
            "loses": self.loses,
            "forcedBy": list(self.forced_by),
            "dependents": list(self.dependents),
            "because": self.because,
        }

    def lines(self) -> Iterator[str]:
        """The refusal for people."""
        forced = f", forced by {', '.join(self.forced_by)}" if self.forced_by else ""
        yield f"{self.operation} of {self.urn.rpartition('::')[2]}{forced}: {self.loses}"
        yield f"  {self.urn}"
        if self.dependents:
            names = [urn.rpartition("::")[2] for urn in self.dependents]
            more = f" and {len(names) - 6} more" if len(names) > 6 else ""
            yield f"  depends on it: {', '.join(names[:6])}{more}"
        yield f"  {self.because}"


def read_approvals(folder: Path, stack: str) -> tuple[Approval, ...]:
    """The approvals of a stack; none when it has no file.

    Raises:
        WrongInput: the file is not what it should be; the text names each mistake.
    """
    path = folder / f"{stack}.yaml"
    if not path.exists():
        return ()
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return Approvals.model_validate(document).approvals
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        wrong = (
            [f"  {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
            if isinstance(error, ValidationError)
            else [f"  {' '.join(str(error).split())}"]
        )
        raise WrongInput(
            "approvals",
            f"approvals/{path.name} cannot be used; nothing was started.\n" + "\n".join(wrong),
        ) from error


def judge(
    steps: Sequence[Step],
    approvals: Sequence[Approval],
    state: Callable[[], Mapping[str, Any]],
    today: datetime.date,
) -> tuple[Refusal, ...]:
    """What of ``steps`` must not happen.

    ``state`` gives the engine's, before them; most changes take nothing away, and need none.
    """
    if not any(step.op in _OPERATIONS or step.name == CHAIN for step in steps):
        return ()
    resources = state().get("resources", ())
    protected = {resource["urn"] for resource in resources if is_locked(resource)}
    left = {resource["urn"] for resource in resources if resource.get("delete")}
    dependents = _dependents(resources)
    refusals = []
    for step in steps:
        threat = _threat(step, protected)
        if threat is None:
            continue
        operation, loses = threat
        forced_by = step.forced_by or _replaced(step, steps, dependents)
        if operation == "delete" and step.urn in left:
            operation, forced_by = "replace", ("an earlier replacement, which left the old one",)
        mine = [one for one in approvals if one.urn == step.urn and one.operation == operation]
        against = [one.without_effect(today) for one in mine]
        if "" in against:
            continue
        refusals.append(
            Refusal(
                urn=step.urn,
                operation=operation,
                loses=loses,
                forced_by=forced_by,
                dependents=tuple(_downstream(step.urn, dependents)),
                because=(
                    against[-1]
                    if against
                    else "nobody approved it: that takes an entry in the stack's file in "
                    "approvals/, with this urn and operation, a reason, who and until when"
                ),
            )
        )
    return tuple(refusals)


def _replaced(
    step: Step, steps: Iterable[Step], dependents: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """The replacements that force this one, where no property does."""
    if step.op is not OpType.REPLACE:
        return ()
    return tuple(
        f"the replacement of {other.name}"
        for other in steps
        if other.op is OpType.REPLACE and step.urn in dependents.get(other.urn, ())
    )


def lost(steps: Iterable[Step]) -> frozenset[str]:
    """URNs of what ``steps`` delete or replace."""
    return frozenset(step.urn for step in steps if step.op in _OPERATIONS)


def _threat(step: Step, protected: Collection[str]) -> tuple[Operation, str] | None:
    """What a step would do to what must stay, and what is lost by that."""
    if step.name == CHAIN:
        now = _mainnet_contracts(step.new)
        before = _mainnet_contracts(step.old)
        if any(now.get(name) != address for name, address in before.items()):
            return "change", "contracts on mainnet that users hold value in"
    operation = _OPERATIONS.get(step.op)
    if operation and step.type in HOLDS:
        return operation, f"{HOLDS[step.type]} would be lost"
    if operation and step.urn in protected:
        return operation, "it is protected"
    return None


def _mainnet_contracts(state: Any) -> Mapping[str, str]:
    parameters = state.inputs.get("parameters", {}) if state else {}
    if parameters.get("network") != "polygon-mainnet":
        return {}
    # Its capital letters are only a checksum of an address.
    return {name: str(address).lower() for name, address in parameters.get("contracts", {}).items()}


def _dependents(resources: Iterable[Mapping[str, Any]]) -> Mapping[str, list[str]]:
    """For each URN, who names it as a dependency or as its parent."""
    found: dict[str, list[str]] = defaultdict(list)
    for resource in resources:
        needed = [*(resource.get("dependencies") or ()), resource.get("parent")]
        for urn in dict.fromkeys(filter(None, needed)):
            found[urn].append(resource["urn"])
    return found


def _downstream(urn: str, dependents: Mapping[str, list[str]]) -> list[str]:
    seen: dict[str, None] = {}
    ahead = [urn]
    while ahead:
        for one in dependents.get(ahead.pop(0), ()):
            if one not in seen:
                seen[one] = None
                ahead.append(one)
    return list(seen)
