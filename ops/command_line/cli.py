"""The commands. Each parses its options, runs one operation and prints its result; nothing else."""

from __future__ import annotations

import atexit
import io
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from components.config import read_stack_file
from ops.command_line.consent import require_window
from ops.command_line.output import print_json, say
from ops.command_line.progress import Progress
from ops.command_line.session import Session
from ops.engine.checkout import Checkout
from ops.engine.install import EngineError, describe, provide_engine
from ops.errors import Interrupted, OpsError, Refused, WrongInput
from ops.recovery import adopt, find_existing, pending, plan_recovery, refuse_interrupted
from ops.recovery import recover as carry_out_recovery
from ops.review.check import Check
from ops.review.envelope import PUBLIC_KEY, Envelope, PublicKey, SigningKey
from ops.review.graph import before_and_after, draw, preview_with_dependencies
from ops.review.guard import refuse_protected, urns_deleted
from ops.review.outcome import Outcome
from ops.review.record import MAX_VALID_HOURS, VALID_HOURS, Record, refuse_unrecordable
from ops.review.render import manifests, refuse_foreign
from ops.review.render import write as write_manifests
from ops.review.report.forms import Form
from ops.review.report.forms import render as render_report
from ops.review.report.forms import write as write_report
from ops.review.report.model import Report
from ops.review.report.previews import read_preview, run_verb
from ops.scratch import scratch_folder
from ops.secret_values import RedactedStream
from ops.snapshot import Snapshot

HELP: Final = """\
Previews, applies and reviews the infrastructure of the PULL backend.

Every command works on the checkout in the current directory. With --sandbox it
works on a local stand-in for the clouds and needs no account; without it, on
the real accounts that your environment gives access to.

\b
  bin/ops preview --stack production --sandbox
  bin/ops up --stack production --sandbox --yes
  bin/ops report --stack production --sandbox
  bin/ops drift --stack production --sandbox

\b
Exit codes: 0 succeeded; 1 failed or refused; 2 wrong command or settings;
130 interrupted.
"""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help=HELP,
)

Stack = Annotated[
    str,
    typer.Option("--stack", metavar="STACK", help="The stack to work on, such as production."),
]
SandboxFlag = Annotated[
    bool, typer.Option("--sandbox", help="Work in the local sandbox instead of real accounts.")
]
SandboxDir = Annotated[
    Path | None,
    typer.Option(
        "--sandbox-dir", metavar="DIR", help="The sandbox's folder; by default in the user's cache."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before changing anything.")]
RecordFile = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE", help="The record of the reviewed preview."),
]
FullReportUrl = Annotated[
    str,
    typer.Option(
        "--full-report-url", metavar="URL", help="The link in a report that had to be shortened."
    ),
]
NoQuestion = Annotated[bool, typer.Option("--yes", help="Has no effect: this command never asks.")]


@app.command()
def preview(
    stack: Stack,
    sandbox: SandboxFlag = False,
    sandbox_dir: SandboxDir = None,
    as_json: AsJson = False,
    record: RecordFile = None,
    valid_hours: Annotated[
        int,
        typer.Option(
            "--valid-hours", min=1, max=MAX_VALID_HOURS, help="How long the record is valid."
        ),
    ] = VALID_HOURS,
    staging_override: Annotated[
        str,
        typer.Option(
            "--staging-override",
            metavar="REASON",
            help="Why this is reviewed although staging is broken; the record keeps it.",
        ),
    ] = "",
    against: Annotated[
        Path | None,
        typer.Option(
            "--against", metavar="FILE", help="A snapshot to preview against, without an account."
        ),
    ] = None,
    program: Annotated[
        Path | None,
        typer.Option(
            "--program",
            metavar="DIR",
            help="Another checkout, whose program and settings this one previews and judges.",
        ),
    ] = None,
    _yes: NoQuestion = False,
) -> None:
    """Show what up would do. Changes nothing.

    With --record, also write a record of the plan, which up --record then holds to. With --against,
    show what up would do to the resources of a snapshot. With --program, the policies, the guard
    and the approvals are still those of the checkout in the current directory.
    """
    session = Session("preview", as_json=as_json)
    _refuse_together({"--against": against, "--sandbox": sandbox})
    _refuse_together({"--against": against, "--record": record})
    _refuse_together({"--program": program, "--record": record})
    if program and not (sandbox or against):
        raise WrongInput(
            "usage",
            "--program runs code of another checkout, which gets no account: add --against or "
            "--sandbox.",
        )
    if staging_override and not (record and staging_override.strip()):
        raise WrongInput(
            "record", "--staging-override needs a reason, and --record, which keeps the reason."
        )
    if record:
        refuse_unrecordable(Checkout.here(), record)
    snapshot = Snapshot.read(against) if against else None
    if snapshot:
        snapshot.refuse_other(stack)
    with (
        session.open_snapshot(snapshot, program)
        if snapshot
        else session.open(stack, sandbox, sandbox_dir, program=program)
    ) as opened:
        outcome, dependencies = preview_with_dependencies(opened)
        state = cache(opened.state)
        verdict = session.evaluate(opened, outcome, state)
        graph = before_and_after(outcome, dependencies, state()) if as_json else None
        if record and outcome.succeeded and verdict.passed:
            made = Record.make(opened, outcome, verdict, state(), valid_hours, staging_override)
            made.envelope().write(record)
    session.output.finish(outcome, verdict, graph, planned=True)


@app.command()
def check(
    program: Annotated[
        Path,
        typer.Option(
            "--program", metavar="DIR", help="The checkout of the pull request, merged or not."
        ),
    ],
    snapshots: Annotated[
        Path | None,
        typer.Option(
            "--snapshots",
            metavar="DIR",
            help="The folder with a snapshot STACK.json of each stack; for a stack without one, "
            "the target branch is applied to a sandbox first.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="The folder for report.md, report.html and report.json."
        ),
    ] = None,
    as_json: AsJson = False,
    full_report_url: FullReportUrl = "",
) -> None:
    """Judge a pull request, in a checkout of the target branch.

    Previews the program of another checkout, all stacks side by side, with the policies, the guard,
    the approvals and the report of this checkout. The program runs confined: it can write nothing,
    and reach nothing but the engine. Needs no account.
    """
    checkout = Checkout.here(program)
    if out and not out.is_dir():
        raise WrongInput("report", f"--out {out} is not a folder.")
    if snapshots and not snapshots.is_dir():
        raise WrongInput("snapshot", f"--snapshots {snapshots} is not a folder.")
    provide_engine(say)
    with tempfile.TemporaryDirectory(prefix="pull-check-") as folder:
        made = Check(checkout, snapshots, Path(folder), say).run()
    if out:
        for form, name in ((Form.MARKDOWN, "md"), (Form.HTML, "html"), (Form.JSON, "json")):
            write_report(out / f"report.{name}", render_report(made, form, full_report_url))
    print(render_report(made, Form.JSON if as_json else Form.TEXT))
    sys.exit(made.exit_code)


@app.command()
def snapshot(
    stack: Stack,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to write.")],
    sandbox: SandboxFlag = False,
    sandbox_dir: SandboxDir = None,
) -> None:
    """Write the state without its secrets, to preview against.

    Each secret becomes a placeholder of the same form. The file holds no secret, and the names and
    settings of everything that is there.
    """
    session = Session("snapshot", as_json=False)
    with session.open(stack, sandbox, sandbox_dir) as opened:
        Snapshot.take(opened).write(out)
    say(f"The snapshot of {stack} is in {out}")


@app.command()
def report(
    stack: Annotated[
        list[str] | None,
        typer.Option(
            "--stack", metavar="STACK", help="A stack to preview; may be given more than once."
        ),
    ] = None,
    saved: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="A file with the output of preview --json; may be given more than once.",
        ),
    ] = None,
    sandbox: SandboxFlag = False,
    sandbox_dir: SandboxDir = None,
    form: Annotated[Form, typer.Option("--form", help="The format of the report.")] = Form.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --form json.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="The file to write; by default standard output."
        ),
    ] = None,
    full_report_url: FullReportUrl = "",
) -> None:
    """Summarize for a reviewer what a change does and how risky it is. Changes nothing."""
    if bool(stack) == bool(saved):
        raise WrongInput("report", "Give either --stack or --from, at least once.")
    if saved:
        documents = [read_preview(path) for path in saved]
    else:
        where = ["--sandbox"] if sandbox else []
        where += ["--sandbox-dir", str(sandbox_dir)] if sandbox_dir else []
        documents = [run_verb("preview", name, where) for name in stack or ()]
    made = Report(documents)
    text = render_report(made, Form.JSON if as_json else form, full_report_url)
    if out:
        write_report(out, text)
        say(f"{made.risk}: the report is in {out}")
    else:
        print(text)
    sys.exit(made.exit_code)


@app.command()
def sign(
    record: Annotated[
        Path, typer.Option("--record", metavar="FILE", help="The record of the reviewed preview.")
    ],
) -> None:
    """Sign the record of a reviewed preview, for up --record.

    RECORD_SIGNING_KEY is the private key. Changes nothing but the file.
    """
    key = SigningKey.from_environment()
    verified_with = PublicKey.read(Checkout.here().approvals)
    if verified_with and verified_with.id != key.id:
        raise WrongInput(
            "record",
            f"approvals/{PUBLIC_KEY} is not the public key of RECORD_SIGNING_KEY: up would refuse "
            "the signature.",
        )
    envelope = Envelope.read(record)
    reviewed = Record.from_envelope(envelope, record)
    reviewed.refuse_untimely()
    envelope.signed(key).write(record)
    say(
        f"Signed with the key {key.id[:12]}: {reviewed.stack}, commit {reviewed.commit[:12]}, "
        f"valid until {reviewed.expires.isoformat()}."
    )


@app.command()
def up(
    stack: Stack,
    sandbox: SandboxFlag = False,
    sandbox_dir: SandboxDir = None,
    as_json: AsJson = False,
    yes: Yes = False,
    record: RecordFile = None,
    window: Annotated[
        str | None,
        typer.Option("--window", metavar="HH:MM-HH:MM", help="Refuse outside these hours (UTC)."),
    ] = None,
    outside_window: Annotated[
        str | None,
        typer.Option(
            "--outside-window", metavar="REASON", help="Why this cannot wait for the window."
        ),
    ] = None,
) -> None:
    """Apply the program's changes to the clouds.

    Changes nothing unless the preview passes the policies and the guard. With --record, also
    refuses a plan that differs from the reviewed one.
    """
    session = Session("up", as_json=as_json, yes=yes)
    session.require_consent()
    require_window(window, outside_window)
    reviewed = None
    if record:
        key = PublicKey.read(Checkout.here().approvals)
        reviewed = Record.read(record, stack, key, sandbox=sandbox)
    if reviewed and reviewed.staging_override:
        say(f"Reviewed although staging was broken: {reviewed.staging_override}")
    with session.open(stack, sandbox, sandbox_dir) as opened:
        refuse_interrupted(opened)
        plan = opened.preview()
        state = cache(opened.state)
        verdict = session.evaluate(opened, plan, state)
        unchanged = plan.unchanged and verdict.passed
        if reviewed and plan.succeeded and verdict.passed:
            now = Record.make(opened, plan, verdict, state())
            # After the release itself, its record has nothing left to carry out.
            if not (unchanged and reviewed.commit == now.commit):
                reviewed.refuse_moved(now)
        if unchanged:
            say("There is nothing to change, so nothing was started.")
            session.output.finish(replace(plan, operation="up"), verdict)

        def run(progress: Progress) -> Outcome:
            # The verdict passed, so every deletion of a protected resource has an approval.
            with opened.unlocked(urns_deleted(plan.changes)):
                return opened.up(progress)

        session.carry_out(plan, run, verdict, recorded=reviewed is not None)


@app.command()
def drift(
    stack: Stack,
    sandbox: SandboxFlag = False,
    sandbox_dir: SandboxDir = None,
    as_json: AsJson = False,
    _yes: NoQuestion = False,
) -> None:
    """Show what somebody changed in the clouds by hand. Changes nothing.

    Exits with 1 if anything differs from the state.
    """
    session = Session("drift", as_json=as_json)
    with session.open(stack, sandbox, sandbox_dir) as opened:
        refuse_interrupted(opened)
        outcome = opened.preview_refresh()
        graph = before_and_after(outcome, {}, opened.state()) if as_json else None
    session.output.finish(outcome, graph=graph, planned=True, expect_same=True)


@app.command()
def refresh(
    stack: Stack,
    sandbox: SandboxFlag = False,
    sandbox_dir: SandboxDir = None,
    as_json: AsJson = False,
    _yes: NoQuestion = False,
) -> None:
    """Update the state to match the clouds. Changes nothing in the clouds."""
    session = Session("refresh", as_json=as_json)
    with session.open(stack, sandbox, sandbox_dir) as opened:
        refuse_interrupted(opened)
        outcome = opened.refresh()
        graph = before_and_after(outcome, {}, opened.state()) if as_json else None
    session.output.finish(outcome, graph=graph)


@app.command()
def recover(
    stack: Stack,
    sandbox: SandboxFlag = False,
    sandbox_dir: SandboxDir = None,
    as_json: AsJson = False,
    yes: Yes = False,
    exists: Annotated[
        list[str] | None,
        typer.Option("--exists", metavar="URN=ID", help="A pending resource that was created."),
    ] = None,
    missing: Annotated[
        list[str] | None,
        typer.Option("--missing", metavar="URN", help="A pending resource that was not created."),
    ] = None,
    adopt_existing: Annotated[
        bool,
        typer.Option(
            "--adopt-existing",
            help="Also add to the state what an up would create and what exists already.",
        ),
    ] = False,
) -> None:
    """Repair the state after the engine was killed.

    Also repairs a state that the engine could not write, as on a full disk. Removes the engine's
    lock, puts the last good version of a damaged state file in place, adopts resources that were
    created without a note in the state, and refreshes. In real accounts, name every pending
    resource with --exists or --missing.

    With --adopt-existing, previews as well, and adopts resources whose creation succeeded although
    it was answered with an error. In real accounts, name them with --exists.
    """
    session = Session("recover", as_json=as_json, yes=yes)
    session.require_consent()
    ids = dict(pair.rpartition("=")[::2] for pair in exists or ())
    if "" in ids or "" in ids.values():
        raise WrongInput("exists", "--exists takes URN=ID; neither may be empty.")
    with session.open(stack, sandbox, sandbox_dir, repair=True) as opened:
        waiting = {operation.urn for operation in pending(opened)} if adopt_existing else set(ids)
        ids_pending = {urn: id_ for urn, id_ in ids.items() if urn in waiting}
        recovery = plan_recovery(opened, ids_pending, missing or ())
        session.confirm(recovery.lines() or ["nothing to repair; a refresh looks for drift"])
        carry_out_recovery(opened, recovery)
        if adopt_existing:
            ids_existing = {urn: id_ for urn, id_ in ids.items() if urn not in waiting}
            existing = find_existing(opened, ids_existing)
            session.confirm([str(found) for found in existing] or ["nothing exists already"])
            adopt(opened, existing)
        session.output.finish(replace(opened.refresh(), operation="recover"))


@app.command()
def destroy(
    stack: Stack,
    sandbox: SandboxFlag = False,
    sandbox_dir: SandboxDir = None,
    as_json: AsJson = False,
    yes: Yes = False,
    lift_protection: Annotated[
        bool,
        typer.Option(
            "--lift-protection", help="First run up without any protection (sandbox only)."
        ),
    ] = False,
) -> None:
    """Delete every resource in the state.

    Refuses while a resource is protected. Deleting a stateful or identity resource needs an
    approval, or --lift-protection in a sandbox.
    """
    session = Session("destroy", as_json=as_json, yes=yes)
    session.require_consent()
    if lift_protection:
        with session.open(stack, sandbox, sandbox_dir, protect=False) as opened:
            refuse_interrupted(opened)
            lifted = opened.up()
            if not lifted.succeeded:
                raise Refused("engine", f"Lifting the protection failed:\n{lifted.causes}")
    with session.open(stack, sandbox, sandbox_dir) as opened:
        refuse_interrupted(opened)
        resources = opened.state().get("resources", ())
        refuse_protected(stack, resources, sandbox=sandbox)
        plan = opened.preview_destroy()
        verdict = None if lift_protection else session.evaluate(opened, plan, opened.state)
        session.carry_out(plan, opened.destroy, verdict)


@app.command()
def graph(
    stack: Stack,
    sandbox: SandboxFlag = False,
    sandbox_dir: SandboxDir = None,
    as_json: AsJson = False,
) -> None:
    """Draw resources and dependencies as a Mermaid flow chart."""
    session = Session("graph", as_json=True)  # a drawing has standard output for itself, too
    with session.open(stack, sandbox, sandbox_dir) as opened:
        drawn = draw(opened)
    if as_json:
        print_json(drawn.to_dict())
    else:
        print(drawn.mermaid())


@app.command()
def render(
    stack: Stack,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The folder to write the files to.")
    ],
    as_json: AsJson = False,
) -> None:
    """Write the Kubernetes manifests as YAML files. Needs no cluster and no account."""
    session = Session("render", as_json=as_json)
    settings = read_stack_file(Checkout.here().stack_file(stack))
    if settings.in_cluster is None:
        raise WrongInput(
            "runtime",
            f"{stack} does not run on Kubernetes: pull:runtime is {settings.runtime}. Set it to "
            f"kubernetes or both in Pulumi.{stack}.yaml.",
        )
    folder = out.expanduser().resolve()
    refuse_foreign(folder)
    with (
        tempfile.TemporaryDirectory(prefix="pull-render-") as sandbox,
        session.open(stack, True, Path(sandbox)) as opened,
    ):
        outcome = opened.preview()
        verdict = session.evaluate(opened, outcome, opened.state)
    if not (outcome.succeeded and verdict.passed):
        session.output.finish(outcome, verdict, planned=True)
    written = write_manifests(manifests(outcome.steps), stack, folder)
    if as_json:
        print_json({"stack": stack, "files": [str(path) for path in written]})
    else:
        print("\n".join(f"kubectl apply -f {path}" for path in written))


@app.command()
def engine() -> None:
    """Print the path of the Pulumi CLI, installing it if needed.

    Its version and where it comes from go to standard error.
    """
    executable = provide_engine(say)
    say(describe(executable))
    print(executable)


def _refuse_together(options: Mapping[str, object]) -> None:
    given = [name for name, value in options.items() if value]
    if len(given) > 1:
        raise WrongInput("usage", f"{' and '.join(given)} exclude each other.")


def main() -> NoReturn:
    """Run the command line. Errors are printed for people, or as JSON with ``--json``."""
    as_json = "--json" in sys.argv[1:]
    # A shell that starts a command in the background makes it ignore SIGINT.
    for signal_ in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_, signal.default_int_handler)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):  # its encoding may not have every character
            stream.reconfigure(errors="backslashreplace")
        redacted = RedactedStream(stream)
        setattr(sys, name, redacted)
        atexit.register(redacted.end)
    try:
        # In standalone mode, typer would print its errors itself, and never as JSON.
        with scratch_folder():
            code = app(prog_name="bin/ops", standalone_mode=False)
        if code != Interrupted.exit_code:
            sys.exit(code)
        failure: OpsError = Interrupted()
    except OpsError as error:
        failure = error
    except EngineError as error:
        failure = Refused("no-engine", str(error))
    except typer.Abort:
        failure = Interrupted()
    except typer.TyperException as error:
        failure = WrongInput("usage", f"{error.format_message()}\nTry --help.")
    if as_json:
        print_json({"error": failure.to_dict()})
    else:
        say(str(failure))
    sys.exit(failure.exit_code)
