"""Deploy a recorded version again, exactly, without the checkout that it came from."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from paycli.aws import Aws, Caller
from paycli.deployment import artifacts, readoption, records, states
from paycli.deployment.artifacts import Bucket
from paycli.deployment.changeset import Wanted
from paycli.deployment.plan import Plan, with_change_set
from paycli.deployment.records import Record, Shelf
from paycli.deployment.stacks import Stack
from paycli.environment import Environment
from paycli.errors import PaycliError
from paycli.progress import Report, Step, unheard


@dataclass(frozen=True)
class Choice:
    """The record that is deployed again, and the rollback to it that is finished with that, if there is one.

    Without a record, what runs isn't on record, and the rollback that got stuck is all there is to do.
    """

    record: Record | None
    begun: Record | None = None


@dataclass(frozen=True)
class Wish:
    """What is asked for: the deploy `number` again, or without one the version before the one that runs.

    `undoes` is the number of the deploy that must be what runs then.
    """

    number: int | None = None
    undoes: int | None = None


def choose(aws: Aws, environment: Environment, bucket: Bucket, wish: Wish, report: Report) -> Choice:
    """Return what to deploy again, once nothing runs on the stack: by what ends meanwhile, another version may run.

    Nothing is changed. Raises PaycliError where there is nothing to go back to.
    """
    if wish.number is not None:
        return Choice(_numbered(bucket, environment, wish.number, _idle(aws, environment, report)))
    asked_during = unfinished(records.recent(bucket, environment.name, unheard, 1))
    stack = _idle(aws, environment, report)
    shelf = records.recent(bucket, environment.name, report)
    history = records.settled(shelf.records, stack)
    running = records.current(history, stack, shelf.unreadable)
    if wish.undoes and running and running.number != wish.undoes:
        raise PaycliError(
            f"Deploy {running.number} has come after deploy {wish.undoes}, and is what runs now.",
            hint=f"Is it mended there? Else: `paycli rollback --env {environment.name}`.",
            code="overtaken",
        )
    begun = None if wish.undoes else unfinished(shelf, asked_during)
    if begun and begun.rollback_of:
        return Choice(_numbered(bucket, environment, begun.rollback_of, stack), begun)
    if stack and stack.status in _HALF_UPDATED:
        return Choice(running)
    if running and running.rollback_of:
        again = f"What runs is deploy {running.rollback_of} again, by deploy {running.number}"
        report(Step(f"{again}: this goes further back."))
    return Choice(version_before(history, stack, shelf.unreadable, report))


# What failed last is partly in place: back is the version that served before it.
_HALF_UPDATED = frozenset({"UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED"})


def _idle(aws: Aws, environment: Environment, report: Report) -> Stack | None:
    policy = states.Policy(wait=True, ask=None)
    return states.when_idle(aws.client("cloudformation"), environment.stack_name, policy, report)


def _numbered(bucket: Bucket, environment: Environment, number: int, stack: Stack | None) -> Record:
    """Return the record of the deploy of that number; raise PaycliError where it can't be deployed again."""
    (record,) = records.settled([records.numbered(bucket, environment.name, number)], stack)
    if record.result != "succeeded":
        raise PaycliError(
            f"Deploy {number} did not succeed: it {record.result.replace('_', ' ')}.",
            hint="`paycli history` lists the deploys.",
            code="no_such_deploy",
        )
    return record


def version_before(
    history: Sequence[Record], stack: Stack | None, unreadable: Collection[int] = (), report: Report = unheard
) -> Record:
    """Return the record of the version before the one that runs on `stack`, past those that failed their smoke test.

    Where all have failed it, it is the newest. `history` is newest first, `unreadable` are the numbers that it lacks.
    Raises PaycliError where there is none.
    """
    succeeded = [record for record in history if record.result == "succeeded"]
    running = records.current(history, stack, unreadable)
    if running is None and unreadable and stack and stack.serves:
        raise PaycliError(
            f"Which version runs can't be told: the record of deploy {max(unreadable)} can't be read.",
            hint="Say which deploy to go back to: --to N; `paycli history` lists them.",
            code="record_unreadable",
        )
    earlier = [record for record in succeeded if running and _is_before(record, running, history)]
    if not earlier:
        raise PaycliError(
            "There is no earlier version on record to go back to.",
            hint=_others(succeeded, running),
            code="no_such_deploy",
        )
    back = next((record for record in earlier if record.smoke_test != "failed"), earlier[0])
    for record in earlier[: earlier.index(back)]:
        again = f"--to {record.number} goes to it all the same"
        report(Step(f"Deploy {record.number} is passed over, since its smoke test failed; {again}."))
    if back.smoke_test == "failed":
        report(Step(f"Deploy {back.number} failed its smoke test, as has every earlier version on record."))
    return back


def _others(succeeded: Sequence[Record], running: Record | None) -> str:
    """Say which deploys can be deployed again all the same, the newest of each version but the one that runs."""
    numbers: dict[tuple[str, str], int] = {}
    for record in succeeded:
        numbers.setdefault(record.version.identity, record.number)
    if running:
        del numbers[running.version.identity]
    if not numbers:
        return "`paycli history` lists the deploys."
    which = "another version" if running else "a version"
    return f"--to N deploys {which} again: {', '.join(map(str, numbers.values()))}. `paycli history` lists them."


def unfinished(shelf: Shelf, asked_during: Record | None = None) -> Record | None:
    """Return the newest record, if it is a rollback whose end nobody has seen, or had when this one was asked for.

    Asked for again, that one is finished: counted as done, it would let the same command go back one version more.
    `asked_during` is the one that was unfinished before what runs was waited for: its own paycli may have ended it.
    """
    newest = next((record for record in shelf.records if record.number == shelf.newest), None)
    if newest is None or not newest.rollback_of:
        return None
    still = newest.result == "in_progress" or newest.unseen
    return newest if still or (asked_during and asked_during.number == newest.number) else None


def what_runs(plan: Plan) -> Record | None:
    """Return the record of what runs, where the plan changes nothing; None where it can't be told.

    One call, and one for each record.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    assert plan.bucket  # noqa: S101 - only a dry run has none
    try:
        shelf = records.recent(plan.bucket, plan.environment.name, unheard)
    except (BotoCoreError, ClientError):
        return None
    return records.current(records.settled(shelf.records, plan.stack), plan.stack, shelf.unreadable)


def replaced(plan: Plan) -> Record | None:
    """Return the rollback that runs, where a deploy would put another version in its place; two calls.

    Without changes, or without the right to read the records, it is None.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    if plan.bucket is None or plan.stack is None or plan.change_set is None:
        return None
    try:
        newest = records.recent(plan.bucket, plan.environment.name, unheard, 1).records
    except (BotoCoreError, ClientError):
        return None
    running = [record for record in newest if record.rollback_of and record.result == "succeeded"]
    return next((record for record in running if record.version.identity != plan.version.identity), None)


def _is_before(record: Record, running: Record, history: Sequence[Record]) -> bool:
    """Whether a record is of a version before the one that runs.

    What runs after a rollback is as old as the deploy that it repeats: a second rollback goes further back, and not
    to the version that the first one has left.
    """
    by_number = {each.number: each for each in history}
    first = running
    while first.rollback_of in by_number:
        first = by_number[first.rollback_of]
    return record.number < (first.rollback_of or first.number) and record.version.identity != running.version.identity


def prepare(
    aws: Aws,
    environment: Environment,
    caller: Caller,
    bucket: Bucket,
    record: Record,
    policy: states.Policy,
    report: Report,
) -> Plan:
    """Return the plan that makes the recorded template and code the stack's again.

    `policy` says what may be done to a stack that can't be updated. What begins on it after `choose` isn't to be waited
    for: another version may run then. The stack's tags are those of today's settings: they aren't on record. Raises
    PaycliError where the artifacts are gone or aren't what was recorded.
    """
    body = artifacts.template(bucket, record.version.template_sha256)
    if body is None:
        raise _gone(record, artifacts.template_key(record.version.template_sha256))
    if artifacts.code_checksum(bucket, record.version.code_key) is None:
        raise _gone(record, record.version.code_key)
    target = states.of_environment(environment, f"rollback --to {record.number}")
    stack = states.bring_to_rest(aws.client("cloudformation"), target, policy, report)
    creates = stack is None or stack.empty
    description = f"paycli: deploy {record.number} again, by {caller.arn}"
    plan = Plan(
        environment=environment,
        caller=caller,
        stack=None if creates else stack,
        wanted=Wanted({}, {}, creates=creates, description=description, tags=environment.all_tags),
        body=body,
        version=record.version,
        bucket=bucket,
        change_set=None,
        rollback_of=record.number,
        kept=readoption.find(aws, environment, json.loads(body)) if creates else (),
    )
    return with_change_set(aws, plan)


def _gone(record: Record, key: str) -> PaycliError:
    return PaycliError(
        f"Deploy {record.number} can't be repeated: {key} is no longer in the artifact bucket.",
        hint="Deploy from a checkout of its commit.",
        code="artifact_missing",
    )
