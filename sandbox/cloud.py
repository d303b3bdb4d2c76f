"""The cloud: what it creates, changes and deletes, and what it rejects.

Every change is committed before the provider answers, so that the cloud is ahead of the engine's
state when the engine dies in between, as with a real cloud.
"""

from __future__ import annotations

import fnmatch
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from resource_types import gcp
from sandbox import revisions
from sandbox.accepted import rejections
from sandbox.models import model_of
from sandbox.models.base import Reference, Relation, RequiredRole, ResourceModel, evaluate
from sandbox.models.gcp import api_of
from sandbox.outputs import outputs_of, preview_update
from sandbox.resource import Resource, now
from sandbox.schema import CheckFailure, check, record_of, schema_of
from sandbox.store import Record, Store
from sandbox.values import Properties, from_state, is_secret, reveal, secret, values_at

_CHANGED_BY_HAND: Final = "changed by hand"
"""The entry of ``Record.internal`` with what somebody else changed, by property path."""


class ApiError(Exception):
    """The cloud rejects a request. ``code`` is the HTTP status that the real API would send."""

    def __init__(self, code: Literal[400, 403, 404, 409], message: str) -> None:
        super().__init__(f"Error {code}: {message}")
        self.code = code


class Cloud(Store):
    """All resources, with the rules by which the real clouds change them."""

    def create(self, urn: str, token: str, inputs: Properties, settings: Properties) -> Record:
        """Create a resource.

        Raises:
            ApiError: the real cloud would not create it.
        """
        model = model_of(token)
        with self.transaction():
            resource = _resource(model, inputs, settings)
            present = self.at(token, resource.address)
            if present is not None and not model.idempotent:
                raise _taken(present)
            if present is None and resource.address in self.reserved_addresses(token):
                raise ApiError(
                    409,
                    f"{token} {resource.address} was deleted recently; the cloud keeps the name "
                    "reserved",
                )
            return self._store(urn, token, resource, inputs, present)

    def update(self, token: str, identity: str, inputs: Properties, settings: Properties) -> Record:
        """Change a resource in place.

        Raises:
            ApiError: it does not exist, its new address is taken, or the real cloud would not
                change it.
        """
        model = model_of(token)
        with self.transaction():
            present = self.read(token, identity)
            if present is None:
                raise ApiError(404, f"{token} {identity} was not found (somebody deleted it)")
            resource = _resource(model, inputs, settings, present)
            _check_immutable(model, present, resource)
            _resolve_conflicts(model, present, resource)
            other = self.at(token, resource.address)
            if other and other.key != present.key:
                raise _taken(other)
            return self._store(present.urn, token, resource, inputs, present)

    def plan(self, record: Record, inputs: Properties, settings: Properties) -> Properties:
        """The outputs in the preview of an update with these inputs."""
        model = model_of(record.type)
        before, after = (
            _resource(model, given, settings, record) for given in (record.inputs, inputs)
        )
        if model.history == "revisions":
            after.internal = revisions.add(after)
        return preview_update(
            record.outputs,
            outputs_of(record.type, before, record.inputs, record.id),
            outputs_of(record.type, after, inputs, record.id),
            inputs,
        )

    def delete(self, token: str, identity: str, state: Properties) -> None:
        """Delete a resource, if it exists. ``state`` is its state in the engine.

        Raises:
            ApiError: it is protected, or other resources use it.
        """
        on_delete = model_of(token).on_delete
        with self.transaction():
            record = self.read(token, identity)
            if record is None:
                return
            _check_deletion_locks(record, state)
            if not isinstance(on_delete, str):
                on_delete = on_delete(reveal(record.inputs))
            if on_delete == "abandon":
                self.write(replace(record, urn=""))
                return
            self._check_unused(record)
            if on_delete == "blocked_by_retained_sql":
                self._check_no_retained_sql(record)
            if on_delete == "reserve_address":
                self.reserve(record)
            self.erase(record)

    def take_over(self, resources: Sequence[Properties]) -> None:
        """Hold what a state names, as if it had been created here; nothing is checked.

        ``resources`` are those of the engine's deployment, with plain secrets.
        """
        resources = [resource for resource in resources if resource.get("custom")]
        settings = {
            f"{resource['urn']}::{resource['id']}": reveal(from_state(resource.get("inputs", {})))
            for resource in resources
            if resource["type"].startswith("pulumi:providers:")
        }
        with self.transaction():
            for resource in resources:
                if resource["type"].startswith("pulumi:") or resource.get("delete"):
                    continue
                inputs = from_state(resource.get("inputs", {}))
                provider = settings.get(resource.get("provider", ""), {})
                model = model_of(resource["type"])
                described = _resource(model, inputs, provider)
                outputs = from_state(resource.get("outputs", {}))
                if model.history == "revisions":
                    described.internal = revisions.add(described)
                elif model.history == "number":
                    version = re.search(
                        r"\d+$", str(outputs.get("version") or outputs.get("number"))
                    )
                    described.internal = {"number": int(version[0]) if version else 1}
                self.write(
                    Record(
                        key=self.new_key(),
                        urn=resource["urn"],
                        type=resource["type"],
                        id=resource["id"],
                        address=described.address,
                        seed=described.seed,
                        created=described.created,
                        internal=described.internal,
                        inputs=inputs,
                        outputs=outputs,
                    )
                )

    # -- Changes that bypass the program -----------------------------------------------------------

    def edit(self, record: Record, path: str, value: Any) -> None:
        """Change a property in the cloud, as somebody does in the console.

        Raises:
            ApiError: the property does not exist, or the value has the wrong type.
        """
        schema = schema_of(record.type)
        top = re.split(r"[.\[]", path, maxsplit=1)[0]
        inputs = record.inputs
        if top in schema.inputs.fields:
            inputs = _with_value(inputs, path, value)
            _raise_failures(check(inputs, schema.inputs)[1], record.type, record.address)
        elif top not in schema.outputs.fields:
            known = ", ".join(schema.outputs.fields)
            raise ApiError(400, f"{record.type} has no {top}; it has {known}")
        internal = record.internal
        if model_of(record.type).forces_conflicts:
            changed = {**internal.get(_CHANGED_BY_HAND, {}), path: value}
            internal = {**internal, _CHANGED_BY_HAND: changed}
        outputs = _with_value(record.outputs, path, value)
        with self.transaction():
            self.write(replace(record, internal=internal, inputs=inputs, outputs=outputs))

    def remove(self, record: Record) -> None:
        """Delete a resource with all its children, whatever uses or protects it."""
        with self.transaction():
            self.erase(record)

    # -- Inside ------------------------------------------------------------------------------------

    def _store(
        self,
        urn: str,
        token: str,
        resource: Resource,
        inputs: Properties,
        present: Record | None,
    ) -> Record:
        model = model_of(token)
        targets = list(self._targets(token, model, resource))
        self._check_conflicts(token, model, resource, present)
        if model.history == "revisions":
            before, resource.internal = resource.internal, revisions.add(resource)
            if rejection := revisions.rejection(before, resource):
                raise ApiError(*rejection)
        elif model.history == "number" and present is None:
            resource.internal = {"number": self._next_number(targets)}
        failures = list(rejections(token, resource))
        for check_inputs in model.checked_at_apply:
            failures += check_inputs(resource)
        _raise_failures(failures, token, resource.address)
        identity = present.id if present else str(evaluate(model.id, resource))
        record = Record(
            key=present.key if present else self.new_key(),
            urn=urn,
            type=token,
            id=identity,
            address=resource.address,
            seed=resource.seed,
            created=resource.created,
            internal=resource.internal,
            inputs=inputs,
            outputs=outputs_of(token, resource, inputs, identity),
        )
        self.write(record)
        self.refer(record, targets)
        return record

    def _check_unused(self, record: Record) -> None:
        users = self.referring(record, "blocks_deletion")
        if users:
            names = ", ".join(f"{user.type} {user.address}" for user in users)
            raise ApiError(400, f"{record.type} {record.address} is in use by {names}")

    def _check_no_retained_sql(self, record: Record) -> None:
        """Cloud SQL retains a deleted instance for days, and the instance keeps the connection.

        https://cloud.google.com/vpc/docs/configure-private-services-access#removing-connection
        """
        project = record.address.partition("/global/")[0]
        for address in self.reserved_addresses(gcp.SQL_INSTANCE):
            if address.startswith(f"{project}/"):
                raise ApiError(
                    400,
                    f"{record.type} {record.address}: producers still use it, such as {address}",
                )

    def _check_conflicts(
        self, token: str, model: ResourceModel, resource: Resource, present: Record | None
    ) -> None:
        for pattern in model.conflicting_addresses(resource):
            for other in self.matching(token, pattern):
                if present is None or other.key != present.key:
                    raise ApiError(
                        409, f"{token} {resource.address} cannot exist next to {other.address}"
                    )

    def _targets(
        self, token: str, model: ResourceModel, resource: Resource
    ) -> Iterator[tuple[Relation, Record]]:
        """What the resource needs in order to exist, each with its relation.

        Raises:
            ApiError: something does not exist.
        """
        project = resource.inputs.get("project") or resource.settings.get("project")
        api = api_of(token)
        if api and project:
            yield "blocks_deletion", self._enabled_api(api, project)
        for reference in model.references:
            for path, value in resource.values_at(reference.path):
                found = re.fullmatch(reference.pattern, value)
                if found is None or found[1] in reference.predefined:
                    continue
                target = self._target(reference, path, found[1], resource)
                yield reference.relation, target
                if reference.required_role:
                    role = reference.required_role
                    yield "must_exist", self._grant_of(role, path, target, resource)

    def _enabled_api(self, api: str, project: str) -> Record:
        service = self.at(gcp.PROJECT_SERVICE, f"{project}/{api}")
        if service is None:
            raise ApiError(403, f"SERVICE_DISABLED: {api} is not enabled in project {project}")
        return service

    def _grant_of(
        self, role: RequiredRole, path: str, target: Record, resource: Resource
    ) -> Record:
        member = str(evaluate(role.member, resource))
        for grant in self.referring(target, "parent"):
            inputs = reveal(grant.inputs)
            if (
                grant.type == role.grant_type
                and inputs["role"] == role.role
                and fnmatch.fnmatchcase(inputs["member"], member)
            ):
                return grant
        raise ApiError(
            403, f"{resource.address}: {member} needs {role.role} on {target.address} ({path})"
        )

    def _target(self, reference: Reference, path: str, value: str, resource: Resource) -> Record:
        """The resource that an input names by its id, its address, or a short name."""
        found = self.read(reference.type, value)
        if found is None:
            address = _full_address(reference, value, resource)
            found = self.at(reference.type, address)
        if found is None:
            raise ApiError(
                404,
                f"{resource.address}: {path} refers to {reference.type} {value!r}, which does not "
                "exist",
            )
        return found

    def _next_number(self, targets: Sequence[tuple[Relation, Record]]) -> int:
        parent = next(target for relation, target in targets if relation == "parent")
        number = int(parent.internal.get("numbered", 0)) + 1
        self.write(replace(parent, internal={**parent.internal, "numbered": number}))
        return number


def _resource(
    model: ResourceModel, inputs: Properties, settings: Properties, present: Record | None = None
) -> Resource:
    time = now()
    resource = Resource(
        inputs=reveal(inputs),
        settings=settings,
        seed=present.seed if present else secrets.token_hex(16),
        created=present.created if present else time,
        updated=time,
        internal=present.internal if present else {},
    )
    resource.address = str(evaluate(model.address, resource))
    return resource


_PROJECT_NUMBER: Final = re.compile(r"projects/\d+/")
"""A project by its number, which the sandbox does not know: it counts as the resource's own."""


def _full_address(reference: Reference, value: str, resource: Resource) -> str:
    """The address that a reference means: a path as it is, a short name next to the resource."""
    model = model_of(reference.type)
    named = Resource({**resource.inputs, model.name: value}, resource.settings)
    full = named[model.name]
    if _PROJECT_NUMBER.match(full):
        full = _PROJECT_NUMBER.sub(f"projects/{named['project']}/", full)
    if "/" in full:
        return full
    try:
        return str(evaluate(model.short_address or model.address, named))
    except KeyError:
        return full


def _taken(present: Record) -> ApiError:
    return ApiError(409, f"{present.type} {present.address} already exists")


def _check_immutable(model: ResourceModel, present: Record, resource: Resource) -> None:
    before = reveal(present.inputs)
    for path in model.immutable:
        if list(values_at(before, path)) != list(resource.values_at(path)):
            raise ApiError(400, f"{present.type} {present.address}: {path} cannot be changed")


def _resolve_conflicts(model: ResourceModel, present: Record, resource: Resource) -> None:
    """Take fields over that somebody else changed, or fail if the resource may not take them."""
    if model.forces_conflicts is None:
        return
    internal = resource.internal
    if model.forces_conflicts(resource):
        resource.internal = {name: internal[name] for name in internal if name != _CHANGED_BY_HAND}
        return
    for path, value in internal.get(_CHANGED_BY_HAND, {}).items():
        wanted = dict(resource.values_at(re.sub(r"\[\d+\]", "[]", path)))
        if wanted.get(path, value) != value:
            raise ApiError(
                409,
                f"conflict at {present.type} {present.address}: {path} belongs to somebody who "
                "changed it by hand",
            )


def _raise_failures(failures: list[CheckFailure], token: str, address: str) -> None:
    if failures:
        reasons = "; ".join(f"{failure.path}: {failure.reason}" for failure in failures)
        raise ApiError(400, f"{token} {address}: {reasons}")


def _check_deletion_locks(record: Record, state: Properties) -> None:
    # ``deletionProtection`` is no field of Google's APIs. The provider keeps it in the state and
    # reads it there: hashicorp/terraform-provider-google, the delete functions of each resource.
    lock = {key: value for key, value in reveal(state).items() if key == "deletionProtection"}
    inputs = {**reveal(record.inputs), **lock}
    for path, default in record_of(record.type).deletion_locks.items():
        if next((value for _, value in values_at(inputs, path)), default):
            raise ApiError(
                403,
                f"{record.type} {record.address} is protected: set {path} to false first",
            )


def _with_value(properties: Properties, path: str, value: Any) -> Properties:
    """A copy with the value at a property path such as ``settings.databaseFlags[0].value``.

    Raises:
        ApiError: a step of the path is no mapping and no list.
    """
    *steps, last = re.findall(r"[^.\[\]]+", path)
    copy: Any = json.loads(json.dumps(properties))
    parent = copy
    try:
        for step in steps:
            if isinstance(parent, list):
                parent = parent[int(step)]
            else:
                parent[step] = {} if parent.get(step) is None else parent[step]
                parent = parent[step]
            parent = parent["value"] if is_secret(parent) else parent
        key: Any = int(last) if isinstance(parent, list) else last
        present = parent[key] if isinstance(parent, list) else parent.get(key)
        parent[key] = secret(value) if is_secret(present) else value
    except (AttributeError, IndexError, ValueError):
        raise ApiError(400, f"{path} does not lead to a property") from None
    return dict(copy)
