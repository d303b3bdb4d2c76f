"""Reads settings from a stack file, or from the configuration that the engine passes on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

from components.config.errors import (
    HIDDEN,
    SettingError,
    SettingsError,
    expected_at,
    known_name,
    section_path,
    setting_path,
    validate,
)
from components.config.rules import RULES, Sections
from components.config.settings import Settings
from components.config.stack_file import DEFAULT_PROVIDERS, ENCRYPTED, StackFile
from components.names import Environment


def parse(raw: Mapping[str, object], source: str, known: Sequence[SettingError] = ()) -> Settings:
    """Settings from the values of the ``pull:`` keys, without that prefix.

    ``known`` are errors that the reader of ``source`` has already found.

    Raises:
        SettingsError: a setting is wrong. Sections are validated one by one, so that an error in
            one section does not hide the errors in the others.
    """
    errors: list[SettingError] = []
    valid: dict[str, Any] = {}
    unknown = [name for name in raw if name not in Settings.model_fields]
    for position, name in enumerate(unknown):
        expected = known_name(name, Settings.model_fields, position)
        errors.append(SettingError(section_path(name), raw[name], expected))
    for name, field in Settings.model_fields.items():
        if name in raw:
            value, section_errors = validate(name, field.annotation, raw[name])
        elif field.is_required():
            expected = expected_at(field.annotation, ())
            value, section_errors = None, [SettingError(section_path(name), None, expected)]
        else:
            value, section_errors = field.get_default(), []
        errors += section_errors
        if not section_errors:
            valid[name] = value
    sections = Sections(valid)
    for rule in RULES:
        errors += rule(sections)
    paths = {error.path for error in known}
    errors = [*known, *(error for error in errors if not _is_at_or_below(error.path, paths))]
    if errors:
        raise SettingsError(source, tuple(errors))
    return Settings.model_validate(valid)


def _is_at_or_below(path: str, parents: set[str]) -> bool:
    ends = (index for index, character in enumerate(path) if character == ".")
    return path in parents or any(path[:end] in parents for end in ends)


def read_stack_file(path: Path) -> Settings:
    """Settings of a ``Pulumi.<stack>.yaml``.

    Raises:
        SettingsError: the file cannot be read as YAML, or its settings are wrong.
    """
    file = StackFile(path)
    errors = list(file.errors)
    default_providers = file.config.get(DEFAULT_PROVIDERS)
    if default_providers != ["*"]:
        # The engine does not pass this key on, so the program cannot check it.
        expected = '["*"]: a resource without an explicit provider must fail'
        errors.append(
            SettingError(setting_path("config", DEFAULT_PROVIDERS), default_providers, expected)
        )
    stack = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
    return _read(file.config, stack, path.name, errors)


def read_engine_config() -> Settings:
    """Settings as the Pulumi engine passes them to the running program.

    Raises:
        SettingsError: the settings are wrong.
    """
    import pulumi
    from pulumi.runtime import config as engine

    given: dict[str, str] = {**engine.get_config_env(), **engine.CONFIG.get()}
    secret = {*engine.get_config_secret_keys_env(), *filter(engine.is_config_secret, given)}
    errors = [SettingError(_path_of(key), HIDDEN, ENCRYPTED) for key in given if key in secret]
    config = {
        key: _from_engine(text)
        for key, text in given.items()
        if key not in secret or key.startswith("pull:")
    }
    stack = pulumi.get_stack()
    return _read(config, stack, f"the configuration of stack {stack}", errors)


def _read(
    config: Mapping[str, object], stack: str, source: str, errors: Sequence[SettingError]
) -> Settings:
    ours = {
        key.removeprefix("pull:"): value for key, value in config.items() if key.startswith("pull:")
    }
    environment, environments = ours.get("environment"), get_args(Environment)
    if environment != stack and environment in environments and stack in environments:
        mismatch = SettingError("pull:environment", environment, f"{stack}, the name of the stack")
        errors = [*errors, mismatch]
    return parse(ours, source, [*errors, *_ineffective_keys(config)])


_ENGINE_KEYS: Final = (DEFAULT_PROVIDERS, "pulumi:tags", "pulumi:template")
"""Keys of the engine itself that change no resource."""


def _ineffective_keys(config: Mapping[str, object]) -> Iterator[SettingError]:
    """Keys that look like settings and have no effect, or one that the rules do not expect."""
    for key, value in config.items():
        namespace, colon, name = key.partition(":")
        if (namespace == "pull" and colon) or key in _ENGINE_KEYS:
            continue
        if not colon:
            expected = f"a key with its namespace: pull:{key}"
        elif namespace in ("gcp", "cloudflare", "vercel"):
            expected = (
                "no such key: the explicit providers ignore it. Set the account in "
                f"pull:{namespace}, and pass credentials in the environment"
            )
        elif namespace.lower() == "pull":
            expected = f"the namespace in lower case: pull:{name}"
        else:
            expected = "no such key: a setting is in the namespace pull"
        yield SettingError(_path_of(key), value, expected)


def _path_of(key: str) -> str:
    name = key.removeprefix("pull:")
    return setting_path("config", key) if name == key else section_path(name)


def _from_engine(text: str) -> object:
    """The engine passes every value as text: sections as JSON, plain words unchanged."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
