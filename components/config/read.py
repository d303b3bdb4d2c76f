"""Reading: from a stack file, or from what the engine hands to the program, to settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from components.config.errors import (
    HIDDEN,
    SettingError,
    SettingsError,
    expected_at,
    judge,
    one_of,
    place,
    section,
)
from components.config.rules import RULES, Sections
from components.config.settings import Settings
from components.config.stack_file import DEFAULT_PROVIDERS, ENCRYPTED, StackFile
from components.names import Environment


def parse(raw: Mapping[str, object], source: str, known: Sequence[SettingError] = ()) -> Settings:
    """Settings from the values of the ``pull:`` keys, without that prefix.

    ``known`` are problems that the reader of ``source`` has found already.

    Raises:
        SettingsError: something is wrong. Sections are judged one by one, so that a mistake in one
            does not hide those in the others.
    """
    errors: list[SettingError] = []
    valid: dict[str, Any] = {}
    for name in raw:
        if name not in Settings.model_fields:
            expected = one_of(name, Settings.model_fields)
            errors.append(SettingError(section(name), raw[name], expected))
    for name, field in Settings.model_fields.items():
        if name in raw:
            value, wrong = judge(name, field.annotation, raw[name])
        elif field.is_required():
            value, wrong = (
                None,
                [SettingError(section(name), None, expected_at(field.annotation, ()))],
            )
        else:
            value, wrong = field.get_default(), []
        errors += wrong
        if not wrong:
            valid[name] = value
    sections = Sections(valid)
    for rule in RULES:
        errors += rule(sections)
    places = tuple(problem.path for problem in known)
    errors = [*known, *(one for one in errors if not _is_at_or_below(one.path, places))]
    if errors:
        raise SettingsError(source, tuple(errors))
    return Settings.model_validate(valid)


def _is_at_or_below(path: str, places: tuple[str, ...]) -> bool:
    return path in places or path.startswith(tuple(f"{place}." for place in places))


def read_stack_file(path: Path) -> Settings:
    """Settings of a ``Pulumi.<stack>.yaml``.

    Raises:
        SettingsError: the file cannot be read as YAML, or its settings are wrong.
    """
    file = StackFile(path)
    errors = list(file.errors)
    default_providers = file.config.get(DEFAULT_PROVIDERS)
    if default_providers != ["*"]:
        # The engine keeps this key to itself, so that the program cannot look after it.
        expected = '["*"]: a resource without an explicit provider must fail, not escape'
        errors.append(SettingError(place("config", DEFAULT_PROVIDERS), default_providers, expected))
    stack = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
    return _read(file.config, stack, path.name, errors)


def read_engine_config() -> Settings:
    """Settings as the Pulumi engine gives them to the running program.

    Raises:
        SettingsError: the settings are wrong.
    """
    import pulumi
    from pulumi.runtime import config as engine

    given: dict[str, str] = {**engine.get_config_env(), **engine.CONFIG.get()}
    secret = {*engine.get_config_secret_keys_env(), *filter(engine.is_config_secret, given)}
    errors = [
        SettingError(section(key.removeprefix("pull:")), HIDDEN, ENCRYPTED)
        for key in given
        if key in secret and key.startswith("pull:")
    ]
    config = {key: _from_engine(text) for key, text in given.items()}
    stack = pulumi.get_stack()
    return _read(config, stack, f"the configuration of stack {stack}", errors)


def _read(
    config: Mapping[str, object], stack: str, source: str, errors: Sequence[SettingError]
) -> Settings:
    ours = {
        key.removeprefix("pull:"): value for key, value in config.items() if key.startswith("pull:")
    }
    environment = ours.get("environment")
    if environment != stack and {environment, stack} == {*get_args(Environment)}:
        mixed_up = SettingError("pull:environment", environment, f"{stack}, as the stack is named")
        errors = [*errors, mixed_up]
    return parse(ours, source, [*errors, *_lost_keys(config)])


def _lost_keys(config: Mapping[str, object]) -> Iterator[SettingError]:
    """Keys that look as if they had an effect, and have none."""
    for key, value in config.items():
        namespace, colon, _ = key.partition(":")
        if not colon:
            expected = f"a key with its namespace: pull:{key}"
        elif namespace in ("gcp", "cloudflare", "vercel"):
            expected = (
                "nothing: the providers here are explicit and ignore it; accounts are settings "
                f"(pull:{namespace}), and credentials come from the environment"
            )
        else:
            continue
        yield SettingError(place("config", key), value, expected)


def _from_engine(text: str) -> object:
    """The engine hands everything over as text: sections as JSON, plain words as they are."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
