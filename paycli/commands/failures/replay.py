"""`paycli failures replay`: failed requests go back to the API."""

import contextlib
import functools
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paycli import console
from paycli.commands.common import Project, environment_command
from paycli.commands.failures.place import (
    Place,
    ended,
    interruptible,
    kept,
    not_seen,
    place,
    require_selection,
    settling_options,
    unknown,
)
from paycli.console import Result
from paycli.errors import PaycliError

if TYPE_CHECKING:
    from paycli.api_client import Answer, ApiClient
    from paycli.aws import Aws
    from paycli.environment import Environment
    from paycli.operations.failures.advice import Replay
    from paycli.operations.failures.message import Message
    from paycli.operations.failures.replay import Outcome, Replayed
    from paycli.operations.failures.report import Report

_ORDER = "Replayed before the merge, a payment that was processed and lost is stored anew and could be processed again."


@click.command(
    "replay",
    short_help="Send failed requests to the API again.",
    epilog="""\b
Example: paycli failures replay --all --env prod --as-profile checkout
         paycli failures replay 8f507e5a-39b2-4d0e-8a52-6f2c1f0b7d11 --env prod""",
)
@click.option("--all", "everything", is_flag=True, help="All that can be replayed.")
@click.option("--as-profile", metavar="PROFILE", help="Call the API with this AWS profile: as whose keys they are.")
@click.option("--internal-errors", is_flag=True, help="Also internal_error, whose cause is mended.")
@click.option(
    "--give-up-missing",
    is_flag=True,
    help="Let go of what is to process a payment that isn't there and won't come back.",
)
@settling_options
@click.option("--yes", is_flag=True, help="Don't ask where the environment retains its data, as prod does.")
@environment_command
def replay(
    project: Project,
    names: tuple[str, ...],
    everything: bool,
    as_profile: str | None,
    internal_errors: bool,
    give_up_missing: bool,
    dead_letters: bool,
    limit: int,
    path: Path | None,
    yes: bool,
) -> Result:
    """Send failed requests to the API again, each with its original idempotency key.

    NAME is a request id, a transaction id or a message id. A message is deleted only once the API has answered for
    good, and its answer is in the report; with 429, a 5xx or no answer it stays, and so it does where the payment that
    it is to process isn't in the table. A payment of somebody else's key is never replayed: sent by another principal,
    that key would make another payment.

    Where payments were lost, restore and merge them first: a lost one would be stored anew, and could be paid twice.
    """
    from paycli.api_client import ApiClient
    from paycli.operations.failures.replay import Replayer
    from paycli.operations.failures.report import Report, default_path
    from paycli.views import failures as failures_view

    require_selection(bool(names) != everything, "Give names, or --all for all that can be replayed.")
    there = place(project)
    if there.kept:
        console.require_answer(yes=yes)
    caller = _caller(there.aws, as_profile)
    signed = project.environment.authorization == "iam"
    warnings: list[str] = []
    client = ApiClient(caller, there.outputs["APIEndpoint"])
    with (
        Report(path or default_path(project.root, "replay", project.environment.name)) as report,
        contextlib.closing(client),
        interruptible("replay", report),
    ):
        replayer = Replayer(
            principal=_principal(caller, signed=signed),
            send=functools.partial(_send, client, signed=signed),
            report=report,
            confirm=functools.partial(_confirm_replay, there, project.environment, warnings, yes),
            told=_tell,
            internal_errors=internal_errors,
            give_up_missing=give_up_missing,
        )
        found = replayer.run(there.sqs, there.url(dead_letters=dead_letters), names, limit)
    data = {
        "report": str(report.path) if report.lines else None,
        "principal": replayer.principal,
        "complete": found.complete,
        "hidden": found.hidden,
        "outcomes": [
            {
                "name": each.message.name,
                "transaction_id": each.message.text("transaction_id"),
                "outcome": each.verdict,
                "said": each.said,
                "status": each.status,
            }
            for each in found.outcomes
        ],
        "notes": [*warnings, *found.troubles],
    }
    shown = [failures_view.outcomes(found.outcomes)] if found.outcomes else []
    return ended(data, [*shown, *_said(found, report)], _errors(found, named=bool(names)))


def _caller(aws: "Aws", profile: str | None) -> "Aws":
    """Return who calls the API: the holder of an AWS profile, else who looks into the queue."""
    if profile is None:
        return aws
    from paycli.aws import Aws, session_of

    return Aws(session_of(profile), aws.region, aws.endpoint_url)


def _principal(caller: "Aws", *, signed: bool) -> str:
    from paycli.operations.failures.advice import ANONYMOUS, principal_of

    return principal_of(caller.client("sts").get_caller_identity()) if signed else ANONYMOUS


def _send(client: "ApiClient", request: "Replay", *, signed: bool) -> "Answer":
    return client.call("POST", request.operation, body=request.body, headers=request.headers, signed=signed)


def _tell(outcome: "Outcome") -> None:
    from paycli.views import failures as failures_view

    if outcome.verdict != "left":
        console.note(failures_view.outcome(outcome))


def _confirm_replay(
    there: Place, environment: "Environment", warnings: list[str], yes: bool, messages: "list[Message]"
) -> None:
    """Warn where the table may not be recovered yet, and ask before what may move money that is to be kept."""
    from paycli.operations.restore.pending import pending

    warnings += pending(there.aws.client("dynamodb"), environment)
    if warnings:
        console.note("\n".join([*warnings, _ORDER]))
    if not there.kept:
        return
    process = sum(message.text("operation") == "process" for message in messages)
    counts = f"{process} times POST /process, which moves money, and {len(messages) - process} times POST /validate"
    console.confirm(f"Replay {counts}, on {there.where}", environment.name, typed=True, yes=yes)


def _said(found: "Replayed", report: "Report") -> list[str]:
    counts = {
        word: sum(each.verdict in verdicts for each in found.outcomes)
        for word, verdicts in {
            "replayed": ("done",),
            "refused for good": ("refused",),
            "kept for want of the payment": ("missing",),
            "still in the queue": ("later", "wrong"),
            "not to be replayed": ("left",),
        }.items()
    }
    nothing = "Nothing can be seen that is to be replayed." if found.hidden else "There is nothing to replay."
    said = [", ".join(f"{count} {word}" for word, count in counts.items() if count) or nothing]
    return [*said, *kept(report), *found.troubles]


def _not_there(count: int) -> PaycliError:
    return PaycliError(
        f"{count} messages stay: the payments that they are to process aren't in the table.",
        hint="If payments were lost, restore and merge them, then replay again (docs/recovery.md). What has expired, "
        "or was of a test, won't come back: add --give-up-missing.",
        code="payment_missing",
    )


def _errors(found: "Replayed", *, named: bool) -> list[PaycliError]:
    errors = [found.stopped] if found.stopped else []
    later = sum(each.verdict == "later" for each in found.outcomes)
    if later and not found.stopped:
        message = f"{later} failed again and are still in the queue."
        errors.append(PaycliError(message, hint="Run it again a little later.", code="failed_again"))
    missing = sum(each.verdict == "missing" for each in found.outcomes)
    if missing:
        errors.append(_not_there(missing))
    if named:
        errors += [
            PaycliError(f"{each.message.name} was not replayed: {each.said}.", code="not_replayable")
            for each in found.outcomes
            if each.verdict == "left"
        ]
    if found.unknown:
        errors.append(unknown(found.unknown))
    if found.hidden and (found.unknown or not named):
        errors.append(not_seen(found.hidden))
    return errors
