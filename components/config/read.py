"""Reading: from a stack file, or from what the engine hands to the program, to settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from components.config.problems import (
    HIDDEN,
    Problem,
    SettingsError,
    allowed_at,
    judge,
    one_of,
    place,
    section,
)
from components.config.rules import RULES, Sections
from components.config.settings import Settings
from components.config.stack_file import DEFAULT_PROVIDERS, ENCRYPTED, StackFile
from components.names import Environment


def parse(raw: Mapping[str, object], source: str, known: Sequence[Problem] = ()) -> Settings:
    """Settings from the values of the ``pull:`` keys, without that prefix.

    ``known`` are problems that the reader of ``source`` has found already.

    Raises:
        SettingsError: something is wrong. Sections are judged one by one, so that a mistake in one
            does not hide those in the others.
    """
    problems: list[Problem] = []
    valid: dict[str, Any] = {}
    for name in raw:
        if name not in Settings.model_fields:
            allowed = one_of(name, Settings.model_fields)
            problems.append(Problem(section(name), raw[name], allowed))
    for name, field in Settings.model_fields.items():
        if name in raw:
            value, wrong = judge(name, field.annotation, raw[name])
        elif field.is_required():
            value, wrong = None, [Problem(section(name), None, allowed_at(field.annotation, ()))]
        else:
            value, wrong = field.get_default(), []
        problems += wrong
        if not wrong:
            valid[name] = value
    sections = Sections(valid)
    for rule in RULES:
        problems += rule(sections)
    places = tuple(problem.path for problem in known)
    problems = [*known, *(one for one in problems if not _is_at_or_below(one.path, places))]
    if problems:
        raise SettingsError(source, tuple(problems))
    return Settings.model_validate(valid)


def _is_at_or_below(path: str, places: tuple[str, ...]) -> bool:
    return path in places or path.startswith(tuple(f"{place}." for place in places))


def read_stack_file(path: Path) -> Settings:
    """Settings of a ``Pulumi.<stack>.yaml``.

    Raises:
        SettingsError: the file cannot be read as YAML, or its settings are wrong.
    """
    file = StackFile(path)
    problems = list(file.problems)
    default_providers = file.config.get(DEFAULT_PROVIDERS)
    if default_providers != ["*"]:
        # The engine keeps this key to itself, so that the program cannot look after it.
        allowed = '["*"]: a resource without an explicit provider must fail, not escape'
        problems.append(Problem(place("config", DEFAULT_PROVIDERS), default_providers, allowed))
    stack = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
    return _read(file.config, stack, path.name, problems)


def read_engine_config() -> Settings:
    """Settings as the Pulumi engine gives them to the running program.

    Raises:
        SettingsError: the settings are wrong.
    """
    import pulumi
    from pulumi.runtime import config as engine

    given: dict[str, str] = {**engine.get_config_env(), **engine.CONFIG.get()}
    secret = {*engine.get_config_secret_keys_env(), *filter(engine.is_config_secret, given)}
    problems = [
        Problem(section(key.removeprefix("pull:")), HIDDEN, ENCRYPTED)
        for key in given
        if key in secret and key.startswith("pull:")
    ]
    config = {key: _from_engine(text) for key, text in given.items()}
    stack = pulumi.get_stack()
    return _read(config, stack, f"the configuration of stack {stack}", problems)


def _read(
    config: Mapping[str, object], stack: str, source: str, problems: Sequence[Problem]
) -> Settings:
    ours = {
        key.removeprefix("pull:"): value for key, value in config.items() if key.startswith("pull:")
    }
    environment = ours.get("environment")
    if environment != stack and {environment, stack} == {*get_args(Environment)}:
        mixed_up = Problem("pull:environment", environment, f"{stack}, as the stack is named")
        problems = [*problems, mixed_up]
    return parse(ours, source, [*problems, *_lost_keys(config)])


def _lost_keys(config: Mapping[str, object]) -> Iterator[Problem]:
    """Keys that look as if they had an effect, and have none."""
    for key, value in config.items():
        namespace, colon, _ = key.partition(":")
        if not colon:
            allowed = f"a key with its namespace: pull:{key}"
        elif namespace in ("gcp", "cloudflare", "vercel"):
            allowed = (
                "nothing: the providers here are explicit and ignore it; accounts are settings "
                f"(pull:{namespace}), and credentials come from the environment"
            )
        else:
            continue
        yield Problem(place("config", key), value, allowed)


def _from_engine(text: str) -> object:
    """The engine hands everything over as text: sections as JSON, plain words as they are."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
