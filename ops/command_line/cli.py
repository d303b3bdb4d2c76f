"""The commands. Each parses its options, runs one operation and prints it; nothing else.

Exit codes: 0 done, 1 the operation failed or was refused, 2 the command or the settings are wrong,
130 interrupted.
"""

from __future__ import annotations

import io
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from components.config import read_stack_file
from ops.command_line.session import Session, print_json, say
from ops.command_line.terminal import Progress
from ops.engine.checkout import Checkout
from ops.engine.install import EngineError, provide_engine
from ops.errors import Interrupted, OpsError, Refused, WrongInput
from ops.recovery import plan_recovery, refuse_interrupted
from ops.recovery import recover as carry_out_recovery
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
from ops.review.report.previews import read_preview, run_preview

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help=__doc__.partition("\n")[0] if __doc__ else None,
)

Stack = Annotated[str, typer.Option("--stack", help="The stack to work on, e.g. production.")]
SandboxFlag = Annotated[
    bool, typer.Option("--sandbox", help="Work on the local stand-in for the cloud.")
]
SandboxDir = Annotated[
    Path | None,
    typer.Option("--sandbox-dir", help="The sandbox's folder; by default in the user's cache."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before changing anything.")]
RecordFile = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE", help="The record of what was reviewed."),
]
NoQuestion = Annotated[bool, typer.Option("--yes", help="Of no effect: this verb never asks.")]


@app.command()
def engine() -> None:
    """Print the path of the Pulumi CLI in use, which is fetched or built if need be."""
    print(provide_engine(say))


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
            "--valid-hours", min=1, max=MAX_VALID_HOURS, help="How long the record is good for."
        ),
    ] = VALID_HOURS,
    _yes: NoQuestion = False,
) -> None:
    """Show what an up would do, and change nothing. ``--record`` writes down what was shown."""
    session = Session("preview", as_json)
    if record:
        refuse_unrecordable(Checkout.here(), record)
    with session.open(stack, sandbox, sandbox_dir) as opened:
        outcome, dependencies = preview_with_dependencies(opened)
        verdict = session.judge(opened, outcome)
        state = opened.state() if as_json or record else {}
        graph = before_and_after(outcome, dependencies, state) if as_json else None
        if record and outcome.succeeded and verdict.passed:
            Record.make(opened, outcome, verdict, state, valid_hours).write(record)
    session.finish(outcome, verdict, graph, planned=True)


@app.command()
def report(
    stack: Annotated[
        list[str] | None, typer.Option("--stack", help="A stack to preview; more than one may be.")
    ] = None,
    saved: Annotated[
        list[Path] | None,
        typer.Option("--from", help="What preview --json has printed, instead of a preview now."),
    ] = None,
    sandbox: SandboxFlag = False,
    sandbox_dir: SandboxDir = None,
    form: Annotated[Form, typer.Option("--form", help="What to write it as.")] = Form.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --form json.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="The file to write; standard output without it.")
    ] = None,
    whole: Annotated[
        str, typer.Option("--whole", metavar="URL", help="Where a cut comment points to.")
    ] = "",
) -> None:
    """Tell a reviewer what a change does and whether to let it pass. Changes nothing."""
    if bool(stack) == bool(saved):
        raise WrongInput("report", "Give either --stack or --from, once or more often.")
    if saved:
        documents = [read_preview(path) for path in saved]
    else:
        place = ["--sandbox"] if sandbox else []
        place += ["--sandbox-dir", str(sandbox_dir)] if sandbox_dir else []
        documents = [run_preview(name, place) for name in stack or ()]
    made = Report(documents)
    text = render_report(made, Form.JSON if as_json else form, whole)
    if out:
        write_report(out, text)
        say(f"{made.risk}: the report is in {out}")
    else:
        print(text)
    sys.exit(made.exit_code)


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
        typer.Option("--window", metavar="HH:MM-HH:MM", help="Refuse at other hours (UTC)."),
    ] = None,
    outside_window: Annotated[
        str | None,
        typer.Option("--outside-window", metavar="REASON", help="Why this cannot wait for it."),
    ] = None,
) -> None:
    """Make the cloud as the program says. A whole preview has to pass before anything changes.

    With ``--record``, nothing but what that record's preview showed is done.
    """
    session = Session("up", as_json)
    session.require_consent(yes)
    session.keep_window(window, outside_window)
    reviewed = Record.read(record) if record else None
    if reviewed:
        reviewed.refuse_unfit(stack, sandbox=sandbox)
    with session.open(stack, sandbox, sandbox_dir) as opened:
        refuse_interrupted(opened)
        plan = opened.preview()
        verdict = session.judge(opened, plan)
        if reviewed and plan.succeeded and verdict.passed:
            reviewed.refuse_moved(Record.make(opened, plan, verdict, opened.state()))

        def run(progress: Progress) -> Outcome:
            # The verdict passed, so every deletion of a protected resource has an approval.
            with opened.unlocked(urns_deleted(plan.changes)):
                return opened.up(progress)

        session.carry_out(plan, run, yes, verdict, recorded=reviewed is not None)


@app.command()
def refresh(
    stack: Stack,
    sandbox: SandboxFlag = False,
    sandbox_dir: SandboxDir = None,
    as_json: AsJson = False,
    _yes: NoQuestion = False,
) -> None:
    """Ask the cloud how it is, and make the state say so. The cloud itself stays as it is."""
    session = Session("refresh", as_json)
    with session.open(stack, sandbox, sandbox_dir) as opened:
        refuse_interrupted(opened)
        outcome = opened.refresh()
        graph = before_and_after(outcome, {}, opened.state()) if as_json else None
    session.finish(outcome, graph=graph)


@app.command()
def drift(
    stack: Stack,
    sandbox: SandboxFlag = False,
    sandbox_dir: SandboxDir = None,
    as_json: AsJson = False,
    _yes: NoQuestion = False,
) -> None:
    """Ask the clouds what somebody changed by hand. Exit code 1 if anything; changes nothing."""
    session = Session("drift", as_json)
    with session.open(stack, sandbox, sandbox_dir) as opened:
        refuse_interrupted(opened)
        outcome = opened.preview_refresh()
        graph = before_and_after(outcome, {}, opened.state()) if as_json else None
    session.finish(outcome, graph=graph, planned=True, expect_same=True)


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
            "--lift-protection", help="First an up without any protection (sandbox only)."
        ),
    ] = False,
) -> None:
    """Delete everything that the state knows, unless something in it is protected.

    What holds data or identity goes only with an approval, or after ``--lift-protection``.
    """
    session = Session("destroy", as_json)
    session.require_consent(yes)
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
        verdict = None if lift_protection else session.judge(opened, plan)
        session.carry_out(plan, opened.destroy, yes, verdict)


@app.command()
def recover(
    stack: Stack,
    sandbox: SandboxFlag = False,
    sandbox_dir: SandboxDir = None,
    as_json: AsJson = False,
    yes: Yes = False,
    found: Annotated[
        list[str] | None,
        typer.Option("--found", metavar="URN=ID", help="A pending creation that has succeeded."),
    ] = None,
    gone: Annotated[
        list[str] | None,
        typer.Option("--gone", metavar="URN", help="A pending creation that has not."),
    ] = None,
) -> None:
    """Settle what a killed engine left behind, so that the next up loses and doubles nothing."""
    session = Session("recover", as_json)
    session.require_consent(yes)
    ids = dict(pair.rpartition("=")[::2] for pair in found or ())
    if "" in ids or "" in ids.values():
        raise WrongInput("found", "--found takes URN=ID, with neither of them empty.")
    with session.open(stack, sandbox, sandbox_dir) as opened:
        recovery = plan_recovery(opened, ids, gone or ())
        session.consent(
            recovery.lines() or ["nothing was left behind; a refresh looks for drift"], yes
        )
        carry_out_recovery(opened, recovery)
        session.finish(replace(opened.refresh(), operation="recover"))


@app.command()
def graph(
    stack: Stack,
    sandbox: SandboxFlag = False,
    sandbox_dir: SandboxDir = None,
    as_json: AsJson = False,
) -> None:
    """Draw everything that the program declares, and what needs what, in Mermaid's language."""
    session = Session("graph", as_json=True)  # a drawing, too, has standard output for itself
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
        Path, typer.Option("--out", metavar="DIR", help="The folder that the files are put in.")
    ],
    as_json: AsJson = False,
) -> None:
    """Write the Kubernetes manifests as YAML files; it takes no cluster and no account."""
    session = Session("render", as_json)
    settings = read_stack_file(Checkout.here().stack_file(stack))
    if settings.in_cluster is None:
        raise WrongInput(
            "runtime",
            f"Nothing of {stack} runs on Kubernetes: pull:runtime is {settings.runtime}. Set it to "
            f"kubernetes or both in Pulumi.{stack}.yaml.",
        )
    folder = out.expanduser().resolve()
    refuse_foreign(folder)
    with (
        tempfile.TemporaryDirectory(prefix="pull-render-") as sandbox,
        session.open(stack, True, Path(sandbox)) as opened,
    ):
        outcome = opened.preview()
        verdict = session.judge(opened, outcome)
    if not (outcome.succeeded and verdict.passed):
        session.finish(outcome, verdict, planned=True)
    written = write_manifests(manifests(outcome.steps), stack, folder)
    if as_json:
        print_json({"stack": stack, "files": [str(path) for path in written]})
    else:
        print("\n".join(f"kubectl apply -f {path}" for path in written))


def main() -> NoReturn:
    """Run the command line; errors are for people, or JSON where JSON was asked for."""
    as_json = "--json" in sys.argv[1:]
    # A shell that starts this in the background has it ignore SIGINT.
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # it may have another encoding than ours
            stream.reconfigure(errors="backslashreplace")
    try:
        # On its own, typer would end the process in words that are no JSON.
        code = app(standalone_mode=False)
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
