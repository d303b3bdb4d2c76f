"""Values that are not secret: the five ConfigMaps, the services outside, the contracts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from components.config.errors import SettingError
from components.config.words import Email, Hex32, HttpsUrl, Model, Origin, only


def _each_once(texts: tuple[str, ...]) -> tuple[str, ...]:
    twice = [text for text, count in Counter(texts).items() if count > 1]
    if twice:
        raise only(f"each once, which {', '.join(twice)} is not")
    return texts


class SharedConfig(Model):
    log_level: Literal["debug", "info", "warn", "error"]


class ApiConfig(Model):
    cors_origins: Annotated[
        tuple[Origin, ...],
        Field(min_length=1, max_length=16, description="origins that browsers may call from"),
        AfterValidator(_each_once),
    ]
    body_limit_mib: Annotated[int, Field(ge=1, le=100, description="largest request body in MiB")]


class WorkerConfig(Model):
    concurrency: Annotated[
        int, Field(ge=1, le=1000, description="activities at once in one instance")
    ]
    plaid_env: Literal["sandbox", "production"]
    activity_start_to_close_timeout_ms: Annotated[
        int, Field(ge=1000, le=2**31 - 1, description="longest activity in milliseconds")
    ]
    activity_heartbeat_timeout_ms: Annotated[
        int,
        Field(ge=1000, le=2**31 - 1, description="longest silence of an activity in milliseconds"),
    ]

    def wrong(self) -> Iterator[SettingError]:
        if self.activity_heartbeat_timeout_ms > self.activity_start_to_close_timeout_ms:
            yield SettingError(
                "activity_heartbeat_timeout_ms",
                self.activity_heartbeat_timeout_ms,
                "at most activity_start_to_close_timeout_ms="
                f"{self.activity_start_to_close_timeout_ms}",
            )


class RedisPoolConfig(Model):
    pool_min: Annotated[int, Field(ge=0, le=1000, description="connections kept open")]
    pool_max: Annotated[int, Field(ge=1, le=1000, description="connections at the most")]

    def wrong(self) -> Iterator[SettingError]:
        if self.pool_min > self.pool_max:
            yield SettingError("pool_min", self.pool_min, f"at most pool_max={self.pool_max}")


class ObservabilityConfig(Model):
    metrics_port: Annotated[int, Field(ge=1024, le=65535, description="port of /metrics")]

    def wrong(self) -> Iterator[SettingError]:
        if self.metrics_port in (API_PORT, WORKER_PORT):
            yield SettingError(
                "metrics_port", self.metrics_port, "a port that no service listens on"
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
    """What differs between environments at the services outside."""

    convex_url: HttpsUrl
    matrix_homeserver_url: HttpsUrl
    resend_from_email: Email
    persona_template_id: Annotated[
        str, Field(pattern=r"^i?tmpl_[A-Za-z0-9]+$", description="tmpl_… or itmpl_…")
    ]
    firebase_project_id: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$", description="Firebase project id")
    ]
    firebase_client_email: Email
    walletconnect_project_id: Hex32


Address = Annotated[
    str,
    Field(pattern=r"^0x[0-9a-fA-F]{40}$", description="address of a contract: 0x and 40 digits"),
]


def _pascal_case(name: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]{0,62}", name):
        raise only("a contract's name in PascalCase, at most 63 characters: PullToken")
    return name


ContractName = Annotated[str, AfterValidator(_pascal_case)]


def _two_people(names: tuple[str, ...]) -> tuple[str, ...]:
    if len({name.casefold() for name in names}) < 2:
        raise only("at least two different engineers")
    return names


class Approval(Model):
    """Two engineers agreed to an address on mainnet: contracts cannot be rolled back."""

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
        # Each is a variable of the Worker, which takes 128 variables and secrets in all.
        Field(max_length=50, description="address by name of a contract, at most 50"),
    ]
    approvals: tuple[Approval, ...] = ()

    def wrong(self) -> Iterator[SettingError]:
        approved = {(one.contract, one.address.lower()) for one in self.approvals}
        for contract, address in self.contracts.items():
            if int(address, 16) == 0:
                yield SettingError(f"contracts.{contract}", address, "an address that is not zero")
            if self.network == "polygon-mainnet" and (contract, address.lower()) not in approved:
                yield SettingError(
                    f"contracts.{contract}",
                    address,
                    "an address with an entry in approvals that names it and two engineers: "
                    "a contract on mainnet cannot be rolled back",
                )
