"""Records of reviews and release windows, without an engine."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from Crypto.PublicKey import ECC, RSA
from pulumi.automation import OpType

from ops.command_line.consent import require_window
from ops.engine.stack import CREDENTIAL
from ops.errors import Refused, WrongInput
from ops.review.envelope import PUBLIC_KEY, SIGNING_KEY, Envelope, PublicKey, SigningKey
from ops.review.fingerprint import planned_change, state_digests
from ops.review.record import SHOWN, Record
from ops.review.steps import State, Step
from ops.review.window import Window
from ops.secret_values import HANDLED
from tests.recorder import ROOT

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
URN = "urn:pulumi:production::pull::gcp:redis/instance:Instance::redis-instance"


NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
DAY = datetime.timedelta(days=1)

_KEY = ECC.generate(curve="Ed25519")
PRIVATE = _KEY.export_key(format="PEM")
PUBLIC = _KEY.public_key().export_key(format="PEM")
ANOTHER = ECC.generate(curve="Ed25519").export_key(format="PEM")


def record(**changes: Any) -> Record:
    values: dict[str, Any] = {
        "stack": "production",
        "sandbox": False,
        "made": NOW,
        "expires": NOW + DAY,
        "commit": "a" * 40,
        "settings": "s1",
        "versions": {"engine": "3.230.0", "policies": "p1", "pulumi-gcp": "10.2.0"},
        "state": {URN: {"tier": "t1", "other": "o1"}},
        "plan": {URN: {"op": "update", "properties": {"memorySizeGb": [5, 8]}}},
        "verdict": {"passed": True},
    }
    return Record(**{**values, **changes})


def key(text: str = PRIVATE) -> SigningKey:
    return SigningKey.from_environment({SIGNING_KEY: text})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.json"


@pytest.fixture(autouse=True)
def public_key(tmp_path: Path) -> Path:
    file = tmp_path / PUBLIC_KEY
    file.write_text(PUBLIC)
    return file


def read(path: Path, stack: str = "production", *, sandbox: bool = False) -> Record:
    return Record.read(path, stack, PublicKey.read(path.parent), sandbox=sandbox)


def edited(path: Path, *replacements: tuple[str, str]) -> Envelope:
    """The envelope in a file with texts of its payload replaced, and its signatures kept."""
    envelope = Envelope.read(path)
    content = envelope.content.decode()
    for old, new in replacements:
        assert old in content
        content = content.replace(old, new, 1)
    return Envelope.of(content.encode()).model_copy(update={"signatures": envelope.signatures})


def test_a_record_is_read_as_it_was_written_and_signed(path: Path) -> None:
    record(staging_override="staging has no database").envelope().signed(key()).write(path)
    assert read(path) == record(staging_override="staging has no database")


@pytest.mark.parametrize(
    "replacement",
    [
        ("8]", "9]"),
        (f"{NOW.year}-", f"{NOW.year + 10}-"),
        ('"commit": "a', '"commit": "b'),
        ('"sandbox": false', '"sandbox": true'),
        ("update", "delete"),
    ],
)
def test_an_edited_record_is_refused(path: Path, replacement: tuple[str, str]) -> None:
    record().envelope().signed(key()).write(path)
    edited(path, replacement).write(path)
    with pytest.raises(Refused, match="edited since") as refusal:
        read(path)
    assert refusal.value.kind == "record"


def test_a_record_is_refused_without_the_signature_of_the_key(path: Path) -> None:
    envelope = record().envelope()
    signed = envelope.signed(key())
    (good,) = signed.signatures
    (foreign,) = envelope.signed(key(ANOTHER)).signatures
    (of_another_record,) = record(plan={}).envelope().signed(key()).signatures
    for signatures in (
        (foreign,),
        (of_another_record,),
        (foreign.model_copy(update={"keyid": good.keyid}),),
        (good.model_copy(update={"sig": ""}),),
        (good.model_copy(update={"sig": "not Base64"}),),
        (good.model_copy(update={"sig": good.sig[:-4]}),),
        (good.model_copy(update={"sig": f"AAAA{good.sig[4:]}"}),),
    ):
        envelope.model_copy(update={"signatures": signatures}).write(path)
        with pytest.raises(Refused, match="No signature of the record was made with the key"):
            read(path)
    envelope.write(path)
    with pytest.raises(Refused, match="is not signed"):
        read(path)
    # One that matches is enough, whatever is beside it.
    envelope.model_copy(update={"signatures": (foreign, good)}).write(path)
    assert read(path) == record()
    assert len(signed.signed(key()).signatures) == 1
    assert len(signed.signed(key(ANOTHER)).signatures) == 2


def test_only_a_sandbox_does_without_a_signature(path: Path, public_key: Path) -> None:
    for stack in ("production", "staging"):
        record(stack=stack).envelope().write(path)
        with pytest.raises(Refused, match="is not signed"):
            read(path, stack)
    local = record(sandbox=True)
    local.envelope().write(path)
    assert read(path, sandbox=True) == local
    local.envelope().signed(key(ANOTHER)).write(path)
    with pytest.raises(Refused, match="No signature of the record was made with the key"):
        read(path, sandbox=True)
    public_key.unlink()
    assert read(path, sandbox=True) == local
    record().envelope().signed(key()).write(path)
    with pytest.raises(Refused, match=r"no approvals/record\.pub to verify the record with"):
        read(path)


def test_keys_have_one_form(path: Path, public_key: Path) -> None:
    line = "".join(PRIVATE.splitlines()[1:-1])
    assert key(line).id == key(f"\n{PRIVATE}\n").id
    public = PublicKey.read(path.parent)
    assert public is not None
    assert public.id == key().id
    ec = ECC.generate(curve="P-256")
    rsa = RSA.generate(2048)
    for wrong in ("", "x", PUBLIC, PRIVATE[:90], line[:-8], ec.export_key(format="PEM")):
        with pytest.raises(WrongInput, match="private Ed25519 key") as error:
            key(wrong)
        assert not wrong or wrong not in str(error.value)
    for wrong in ("", "x", PRIVATE, rsa.public_key().export_key().decode(), f"{PUBLIC}x", "\xff"):
        public_key.write_text(wrong, "latin-1")
        with pytest.raises(WrongInput, match="not a public Ed25519 key"):
            PublicKey.read(path.parent)


def test_the_key_is_redacted_from_all_output() -> None:
    key()
    assert PRIVATE.splitlines()[1] not in HANDLED.redact(f"it is {PRIVATE}")
    assert CREDENTIAL.search(SIGNING_KEY)


def test_openssl_makes_the_keys_and_verifies_the_signature(
    tmp_path: Path, path: Path, need: Callable[[str, str], str]
) -> None:
    """With the commands in docs/delivery.md, and by DSSE's specification: nothing of ours."""
    openssl = need("openssl", "install OpenSSL 3")

    def run(command: str) -> str:
        done = subprocess.run(
            [openssl, *command.split()], cwd=tmp_path, check=True, capture_output=True, text=True
        )
        return done.stdout

    (tmp_path / "approvals").mkdir()
    commands = re.findall(r"^\$ openssl (.*)", (ROOT / "docs" / "delivery.md").read_text(), re.M)
    assert len(commands) == 2
    for command in commands:
        run(command.replace("/tmp/", ""))
    record().envelope().signed(key((tmp_path / "record.key").read_text())).write(path)

    document = json.loads(path.read_text())
    payload = base64.b64decode(document["payload"])
    kind = document["payloadType"].encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    (tmp_path / "signed").write_bytes(signed)
    (signature,) = document["signatures"]
    (tmp_path / "sig").write_bytes(base64.b64decode(signature["sig"]))
    verify = "pkeyutl -verify -pubin -inkey approvals/record.pub -rawin -in signed -sigfile sig"
    assert "Signature Verified Successfully" in run(verify)


def test_the_statement_has_the_form_of_in_toto(path: Path) -> None:
    """https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md"""
    document = json.loads(record().envelope().content)
    assert set(document) == {"_type", "subject", "predicateType", "predicate"}
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"].startswith("https://")
    digests = {subject["name"]: subject["digest"] for subject in document["subject"]}
    assert list(digests) == ["commit", "plan", "policies", "settings", "state", "versions"]
    assert digests["commit"] == {"gitCommit": "a" * 40}
    plan = json.dumps(document["predicate"]["plan"], sort_keys=True, separators=(",", ":"))
    assert digests["plan"] == {"sha256": hashlib.sha256(plan.encode()).hexdigest()}
    record().envelope().write(path)
    assert json.loads(path.read_text())["payloadType"] == "application/vnd.in-toto+json"


def test_a_record_that_people_and_programs_read_differently_is_refused(path: Path) -> None:
    record(sandbox=True).envelope().write(path)
    original = path.read_bytes()
    for replacement in (
        ('"stack"', '"stack": "staging", "stack"'),
        ('"commit"', '"comment": "looks fine", "commit"'),
        ('"stagingOverride"', '"staging_override"'),
        ('"predicate"', '"predicate" '),
        ("t1", "t2"),
        ("s1", "s2"),
    ):
        path.write_bytes(original)
        edited(path, replacement).write(path)
        with pytest.raises(WrongInput, match=r"edited since|is not a release record"):
            read(path, sandbox=True)
    path.write_bytes(original.replace(b"\n", b"\r\n"))
    assert read(path, sandbox=True) == record(sandbox=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        '{"payload": ' + "[" * 100_000,
        '{"digest": "x", "stack": "production"}',
        '{"payloadType": "text/plain", "payload": "e30=", "signatures": []}',
        '{"payloadType": "application/vnd.in-toto+json", "payload": "%", "signatures": []}',
        '{"payloadType": "application/vnd.in-toto+json", "payload": "\u00e9", "signatures": []}',
        '{"payloadType": "application/vnd.in-toto+json", "payload": 7, "signatures": []}',
        '{"payload": "e30=", "signatures": []}',
        '{"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": {}}',
    ],
)
def test_a_file_that_is_not_a_record_is_refused(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(WrongInput, match="is not a release record"):
        read(path, sandbox=True)
    path.write_bytes(b"\xff\xfe" + text.encode())
    with pytest.raises(WrongInput, match="is not a release record"):
        read(path, sandbox=True)
    with pytest.raises(WrongInput, match="is not a release record"):
        read(path.with_name("absent.json"))
    with pytest.raises(WrongInput, match="is not a release record"):
        read(path.parent)


@pytest.mark.parametrize(
    "time", ["soon", "", 7, None, "2026-11-22", "2026-11-22T01:00:00", "2026-13-01T00:00:00Z"]
)
def test_a_time_that_is_no_moment_is_refused(path: Path, time: object) -> None:
    written = record(sandbox=True).envelope()
    text = json.dumps(NOW.isoformat().replace("+00:00", "Z"))
    written.write(path)
    edited(path, (f'"made": {text}', f'"made": {json.dumps(time)}')).write(path)
    with pytest.raises(WrongInput, match=r"is not a release record .*made"):
        read(path, sandbox=True)


def test_a_payload_that_is_nested_deeply_is_refused(path: Path) -> None:
    record(sandbox=True).envelope().write(path)
    edited(path, ("[5, 8]", "[" * 50_000 + "]" * 50_000)).write(path)
    with pytest.raises(WrongInput, match="is not a release record"):
        read(path, sandbox=True)


def test_a_record_is_valid_for_one_stack_one_environment_and_a_limited_time() -> None:
    record().refuse_unfit("production", sandbox=False)
    with pytest.raises(WrongInput, match="for production on real accounts; this is staging on"):
        record().refuse_unfit("staging", sandbox=False)
    with pytest.raises(WrongInput, match="this is production in a sandbox"):
        record().refuse_unfit("production", sandbox=True)


@pytest.mark.parametrize(
    ("times", "why"),
    [
        ((NOW - 2 * DAY, NOW - DAY), "was valid until"),
        ((NOW - DAY, NOW + 6 * DAY + timedelta(seconds=1)), "valid for at most 168 hours"),
        ((NOW, NOW + 3650 * DAY), "valid for at most 168 hours"),
        ((NOW + DAY, NOW + 2 * DAY), "is in the future"),
        (("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"), "valid for at most"),
    ],
)
def test_a_record_is_refused_outside_of_its_time(times: tuple[Any, Any], why: str) -> None:
    made, expires = times
    with pytest.raises(Refused, match=why) as refusal:
        record(made=made, expires=expires).refuse_unfit("production", sandbox=False)
    assert refusal.value.kind == "record"
    assert refusal.value.details["moved"] == ["time"]


def test_an_unchanged_stack_passes_whenever_the_record_was_made() -> None:
    record().refuse_moved(record(made=NOW + DAY, expires=NOW + 2 * DAY))


@pytest.mark.parametrize(
    ("now", "line"),
    [
        (record(commit="b" * 40), "commit: aaaaaaaaaaaa was reviewed, now it is bbbbbbbbbbbb"),
        (record(settings="s2"), "settings: Pulumi.yaml or Pulumi.production.yaml changed"),
        (
            record(versions={"engine": "3.230.0", "policies": "p1", "pulumi-gcp": "10.3.0"}),
            "pulumi-gcp: 10.2.0 was reviewed, now it is 10.3.0",
        ),
        (
            record(versions={"engine": "3.230.0", "policies": "p2", "pulumi-gcp": "10.2.0"}),
            "policies: the rules or their exceptions changed",
        ),
        (
            record(versions={"engine": "3.230.0", "policies": "p1"}),
            "pulumi-gcp: 10.2.0 was reviewed, now it is none",
        ),
        (
            record(state={URN: {"tier": "t2", "other": "o1"}}),
            "redis-instance: its state changed (tier)",
        ),
        (record(state={}), "redis-instance: it is no longer in the state"),
        (
            record(state={URN: {"tier": "t1", "other": "o2"}}),
            "redis-instance: the state changed, but no input, as after a refresh",
        ),
        (
            record(plan={URN: {"op": "replace", "properties": {"memorySizeGb": [5, 8]}}}),
            "redis-instance: update was reviewed, now it would be replace",
        ),
        (record(plan={}), "redis-instance: update was reviewed, now it would be no change"),
        (
            record(plan={URN: {"op": "update", "properties": {"memorySizeGb": [5, 9]}}}),
            "redis-instance memorySizeGb: [5, 8] was reviewed, now it is [5, 9]",
        ),
    ],
)
def test_each_change_since_the_review_is_named(now: Record, line: str) -> None:
    with pytest.raises(Refused) as refusal:
        record().refuse_moved(now)
    assert f"  {line}" in str(refusal.value).splitlines()
    assert refusal.value.kind == "record"
    assert refusal.value.details["moved"] == [line.partition(":")[0]]


def test_the_plan_comes_first_and_what_a_refresh_rewrites_is_counted() -> None:
    urns = [URN, *(f"{URN}-{number}" for number in range(100))]
    before = record(state={urn: {"tier": "t1", "other": "o1"} for urn in urns})
    now = record(
        commit="b" * 40,
        state={urn: {"tier": "t1", "other": "o2"} for urn in urns[1:]} | {URN: {"tier": "t2"}},
        plan={
            URN: {"op": "replace", "properties": {}},
            urns[1]: {"op": "delete", "properties": {}},
        },
    )
    with pytest.raises(Refused) as refusal:
        before.refuse_moved(now)
    assert str(refusal.value).splitlines()[1:-1] == [
        "  redis-instance: update was reviewed, now it would be replace",
        "  redis-instance-0: no change was reviewed, now it would be delete",
        "  commit: aaaaaaaaaaaa was reviewed, now it is bbbbbbbbbbbb",
        "  redis-instance: its state changed (other, tier)",
        "  100 resources: the state changed, but no input, as after a refresh",
    ]


def test_a_long_list_is_cut_and_counted() -> None:
    many = {f"{URN}-{number}": {"other": "o"} for number in range(SHOWN + 3)}
    with pytest.raises(Refused) as refusal:
        record().refuse_moved(record(state={**record().state, **many}))
    assert "  and 3 more" in str(refusal.value).splitlines()
    assert len(refusal.value.details["moved"]) == SHOWN + 3


def test_a_secret_with_a_new_ciphertext_alone_is_unchanged() -> None:
    def state(ciphertext: str, modified: str) -> dict[str, dict[str, str]]:
        resource = {
            "urn": URN,
            "inputs": {"auth": {**SECRET, "ciphertext": ciphertext}},
            "modified": modified,
            "sourcePosition": f"project:///__main__.py#{ciphertext}",
        }
        return state_digests({"resources": [resource]})

    assert state("v1:a", "monday") == state("v1:b", "monday")
    assert state("v1:a", "monday") != state("v1:a", "tuesday")


def test_a_plan_has_new_values_pairs_and_a_text_for_unknown_values() -> None:
    def state(**inputs: Any) -> State:
        return State(
            urn=URN,
            type="gcp:redis/instance:Instance",
            id="",
            parent="",
            provider="",
            custom=True,
            protect=False,
            inputs=inputs,
            outputs={},
        )

    def step(op: OpType, old: State | None, new: State | None, *changed: str) -> Step:
        return Step(
            op=op,
            urn=URN,
            type="gcp:redis/instance:Instance",
            provider="",
            old=old,
            new=new,
            diff_reasons=changed,
            replace_reasons=(),
            detailed_diff={},
        )

    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    created = step(OpType.CREATE, None, state(tier="BASIC", labels={"of": [unknown]}))
    assert planned_change(created) == {
        "op": "create",
        "properties": {"tier": "BASIC", "labels": {"of": ["(known after apply)"]}},
    }
    changed = step(OpType.UPDATE, state(tier="BASIC"), state(tier=unknown), "tier")
    assert planned_change(changed) == {
        "op": "update",
        "properties": {"tier": ["BASIC", "(known after apply)"]},
    }
    deleted = step(OpType.DELETE, state(tier="BASIC"), None)
    assert planned_change(deleted) == {"op": "delete", "properties": {}}


def test_a_resource_that_awaits_deletion_is_not_its_successor() -> None:
    old = {"urn": URN, "inputs": {"tier": "BASIC"}, "delete": True}
    assert len(state_digests({"resources": [old, {"urn": URN, "inputs": {"tier": "HA"}}]})) == 2


def _at(hour: int, minute: int = 0) -> datetime.datetime:
    return datetime.datetime(2026, 11, 22, hour, minute, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ("02:00-04:00", [_at(2), _at(3, 59)], [_at(1, 59), _at(4), _at(14)]),
        ("22:00-02:00", [_at(22), _at(0), _at(1, 59)], [_at(2), _at(21, 59)]),
    ],
)
def test_a_window_includes_its_begin_and_excludes_its_end(
    window: str, inside: list[datetime.datetime], outside: list[datetime.datetime]
) -> None:
    for moment in inside:
        Window.read(window).refuse_outside(moment)
    for moment in outside:
        with pytest.raises(Refused, match="--outside-window REASON") as refusal:
            Window.read(window).refuse_outside(moment)
        assert refusal.value.kind == "window"


def test_a_window_is_in_utc() -> None:
    east = datetime.timezone(datetime.timedelta(hours=5))
    Window.read("02:00-04:00").refuse_outside(_at(3).astimezone(east))


@pytest.mark.parametrize(
    "text",
    [
        "2-4",
        "02:00",
        "25:00-26:00",
        "02:00-24:00",
        "02:00-02:00",
        "02:00-04:00 ",
        "a-b",
        "\u0660\u0662:00-04:00",
    ],
)
def test_a_window_has_one_notation(text: str) -> None:
    with pytest.raises(WrongInput, match="02:00-04:00"):
        Window.read(text)


@pytest.mark.parametrize("reason", [None, "", "  \t"])
def test_an_empty_reason_does_not_count(reason: str | None) -> None:
    now = datetime.datetime.now(datetime.UTC)
    begin, end = (now + datetime.timedelta(hours=hours) for hours in (6, 8))
    with pytest.raises(Refused):
        require_window(f"{begin:%H:%M}-{end:%H:%M}", reason)
