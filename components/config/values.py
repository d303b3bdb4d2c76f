"""Values that are not secret: the five ConfigMaps, the external services, the contracts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from Crypto.Hash import keccak
from pydantic import AfterValidator, Field

from components.config.errors import SettingError
from components.config.types import Email, Hex32, HttpsUrl, Model, Origin, ProjectId, expected_error
from resource_types.reviews import people


def _without_duplicates(texts: tuple[str, ...]) -> tuple[str, ...]:
    duplicates = [text for text, count in Counter(texts).items() if count > 1]
    if duplicates:
        raise expected_error(f"no duplicates: {', '.join(duplicates)}")
    return texts


class SharedConfig(Model):
    log_level: Literal["debug", "info", "warn", "error"]


class ApiConfig(Model):
    cors_origins: Annotated[
        tuple[Origin, ...],
        Field(min_length=1, max_length=16, description="origins that browsers may call from"),
        AfterValidator(_without_duplicates),
    ]
    body_limit_mib: Annotated[int, Field(ge=1, le=100, description="largest request body in MiB")]


class WorkerConfig(Model):
    concurrency: Annotated[
        int, Field(ge=1, le=1000, description="concurrent activities of one instance")
    ]
    plaid_env: Literal["sandbox", "production"]
    activity_start_to_close_timeout_ms: Annotated[
        int,
        Field(ge=1000, le=2**31 - 1, description="maximum duration of an activity in milliseconds"),
    ]
    activity_heartbeat_timeout_ms: Annotated[
        int,
        Field(
            ge=1000,
            le=2**31 - 1,
            description="maximum time between two heartbeats of an activity in milliseconds",
        ),
    ]

    def setting_errors(self) -> Iterator[SettingError]:
        if self.activity_heartbeat_timeout_ms > self.activity_start_to_close_timeout_ms:
            yield SettingError(
                "activity_heartbeat_timeout_ms",
                self.activity_heartbeat_timeout_ms,
                "at most activity_start_to_close_timeout_ms="
                f"{self.activity_start_to_close_timeout_ms}",
            )


class RedisPoolConfig(Model):
    pool_min: Annotated[int, Field(ge=0, le=1000, description="connections kept open")]
    pool_max: Annotated[int, Field(ge=1, le=1000, description="maximum number of connections")]

    def setting_errors(self) -> Iterator[SettingError]:
        if self.pool_min > self.pool_max:
            yield SettingError("pool_min", self.pool_min, f"at most pool_max={self.pool_max}")


class ObservabilityConfig(Model):
    metrics_port: Annotated[int, Field(ge=1024, le=65535, description="port of /metrics")]

    def setting_errors(self) -> Iterator[SettingError]:
        if self.metrics_port in (API_PORT, WORKER_PORT):
            yield SettingError(
                "metrics_port",
                self.metrics_port,
                f"a port other than {API_PORT} (API) and {WORKER_PORT} (workers)",
            )


API_PORT: Final = 3001
WORKER_PORT: Final = 3002


class RuntimeConfig(Model):
    """The runbook's five ConfigMaps, one section each."""

    shared: SharedConfig
    api: ApiConfig
    worker: WorkerConfig
    redis: RedisPoolConfig
    observability: ObservabilityConfig


class External(Model):
    """Values of the external services that differ between the environments."""

    convex_url: HttpsUrl
    matrix_homeserver_url: HttpsUrl
    resend_from_email: Email
    persona_template_id: Annotated[
        str, Field(pattern=r"^i?tmpl_[A-Za-z0-9]+$", description="tmpl_… or itmpl_…")
    ]
    firebase_project_id: ProjectId
    firebase_client_email: Email
    walletconnect_project_id: Hex32


def _checksummed(address: str) -> str:
    """The case of the letters is a checksum: https://eips.ethereum.org/EIPS/eip-55"""
    digits = address[2:].lower()
    digest = keccak.new(digest_bits=256, data=digits.encode()).hexdigest()
    cased = "".join(
        digit.upper() if int(place, 16) >= 8 else digit
        for digit, place in zip(digits, digest, strict=False)
    )
    if cased != address[2:]:
        raise expected_error(
            "an address with upper and lower case letters as Polygonscan shows them: they are a "
            "checksum (EIP-55)"
        )
    return address


Address = Annotated[
    str,
    Field(pattern=r"^0x[0-9a-fA-F]{40}$", description="address of a contract: 0x and 40 digits"),
    AfterValidator(_checksummed),
]


def _pascal_case(name: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]{0,62}", name):
        raise expected_error("a contract name in PascalCase with at most 63 characters: PullToken")
    return name


ContractName = Annotated[str, AfterValidator(_pascal_case)]


def _two_people(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(people(names)) < 2:
        raise expected_error("at least two different engineers")
    return names


class Approval(Model):
    """Two engineers approved an address on mainnet: contracts cannot be rolled back."""

    contract: ContractName
    address: Address
    approved_by: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[!-~](?:[ -~]{0,98}[!-~])?$")], ...],
        Field(min_length=2, description="engineers"),
        AfterValidator(_two_people),
    ]


class Chain(Model):
    """The contracts on Polygon."""

    network: Literal["polygon-amoy", "polygon-mainnet"]
    contracts: Annotated[
        dict[ContractName, Address],
        # Each becomes a variable of the Worker, which may have 128 variables and secrets:
        # https://developers.cloudflare.com/workers/platform/limits/#environment-variables
        Field(max_length=50, description="address by contract name, at most 50"),
    ]
    approvals: tuple[Approval, ...] = ()

    def setting_errors(self) -> Iterator[SettingError]:
        approved = {(approval.contract, approval.address) for approval in self.approvals}
        for contract, address in self.contracts.items():
            if int(address, 16) == 0:
                yield SettingError(f"contracts.{contract}", address, "an address that is not zero")
            if self.network == "polygon-mainnet" and (contract, address) not in approved:
                yield SettingError(
                    f"contracts.{contract}",
                    address,
                    "an address that an entry in approvals confirms with two engineers: "
                    "a contract on mainnet cannot be rolled back",
                )
