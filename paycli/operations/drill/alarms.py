"""Rehearse the alarms: each is put into ALARM, and its notification is received as a pager would get it."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from paycli.deployment import stacks
from paycli.errors import DetachedError, PaycliError, not_deployed
from paycli.operations.drill import alarm_states, inbox, leftovers
from paycli.operations.drill.report import Finding, Measured
from paycli.progress import Report, Step

if TYPE_CHECKING:
    from paycli.aws import Aws
    from paycli.environment import Environment

DEADLINE_SECONDS = 120.0
_EMBEDDED = (
    "On the embedded AWS nothing is encrypted and no policy of a topic or key stands between: that CloudWatch may "
    "publish to the topic is not provable here."
)


def check_stack(aws: "Aws", environment: "Environment") -> stacks.Stack:
    """Return the stack. Raises PaycliError while it is being changed: a deploy may be rolled back by its alarms."""
    stack = stacks.find(aws.client("cloudformation"), environment.stack_name)
    if stack is None or "AlarmTopicArn" not in stack.outputs:
        raise not_deployed(environment.stack_name, environment.name)
    if stack.in_progress:
        raise PaycliError(
            f"{stack.name} is {stack.status}: a deploy that watches its alarms would be rolled back by the drill.",
            hint="Wait until it is done.",
            code="in_progress",
        )
    return stack


def rehearse(
    aws: "Aws",
    environment: "Environment",
    topic_arn: str,
    caller: str,
    report: Report,
    *,
    deadline_seconds: float = DEADLINE_SECONDS,
) -> Measured:
    """Raise every alarm that can be, receive what it says, and put it back, whatever happens.

    What can't be put back or removed becomes a finding; an interrupt, whenever it comes, puts back and removes all the
    same. A second one leaves that to `paycli drill cleanup`.
    """
    cloudwatch = aws.client("cloudwatch")
    leftovers.remove_inboxes(aws, environment, topic_arn)
    found = alarm_states.described(cloudwatch, environment)
    told = _who_is_told(aws, environment, topic_arn)
    findings = {name: _not_rehearsed(name, alarm, topic_arn) for name, alarm in found.items()}
    ready = {name: alarm for name, alarm in found.items() if alarm and findings[name] is None}
    drill = f"drill {datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    try:
        made = inbox.make(aws, environment, topic_arn)
    except KeyboardInterrupt:
        raise _interrupted(environment, "the temporary queue may be left.") from None
    try:
        raised: dict[str, float] = {}
        for name, alarm in ready.items():
            raised[name] = time.monotonic()
            alarm_states.raise_alarm(cloudwatch, alarm, drill, caller)
        report(Step(f"{len(ready)} alarms are in ALARM; waiting for their notifications"))
        received = dict(_received(aws, made, drill, raised, deadline_seconds))
        untidy = _tidied(aws, environment, made)
    except BaseException as error:
        left = "; ".join(_put_back(aws, environment, made))
        if isinstance(error, KeyboardInterrupt):
            raise _interrupted(environment, left) from None
        error.add_note(left or "All alarms are put back.")
        raise
    for name in ready:
        findings[name] = _outcome(name, received.get(name), deadline_seconds)
    rehearsed = tuple(finding for finding in findings.values() if finding)
    notes = (_EMBEDDED,) if environment.target == "embedded" else ()
    return Measured((*rehearsed, told, _tidy(untidy)), notes=notes)


def _interrupted(environment: "Environment", left: str) -> DetachedError:
    hint = f"paycli drill cleanup --env {environment.name}" if left else ""
    said = left or "the alarms are put back, subscription and queue are removed."
    return DetachedError(f"Interrupted: {said}", hint=hint, code="interrupted")


def _not_rehearsed(name: str, alarm: Mapping[str, Any] | None, topic_arn: str) -> Finding | None:
    """Return why an alarm can't be rehearsed, or None where it can."""
    if alarm is None:
        return Finding(name, "failed", "The alarm is missing.")
    if not alarm.get("ActionsEnabled"):
        return Finding(name, "failed", "Its actions are off: it tells nobody.")
    if topic_arn not in alarm.get("AlarmActions", []):
        return Finding(name, "failed", "It doesn't publish to the stack's topic.")
    if alarm["StateValue"] == "ALARM":
        return Finding(name, "unproven", "It is in ALARM for real, so it was left alone.")
    return None


def _who_is_told(aws: "Aws", environment: "Environment", topic_arn: str) -> Finding:
    """Say how many are subscribed, and not who: the report goes to others."""
    title = "Somebody is subscribed to the topic"
    confirmed = [
        subscription["Protocol"]
        for subscription in inbox.subscriptions(aws, topic_arn)
        if subscription["SubscriptionArn"].startswith("arn:")
    ]
    if confirmed:
        return Finding(title, "passed", f"{len(confirmed)} confirmed: {', '.join(sorted(set(confirmed)))}")
    if environment.retain_data:
        return Finding(title, "failed", "Nobody has a confirmed subscription: the alarms reach nobody.")
    return Finding(title, "not_here", "Nobody; set alarms.email, or subscribe a pager to the topic.")


def _received(
    aws: "Aws", made: inbox.Inbox, drill: str, raised: Mapping[str, float], deadline_seconds: float
) -> Iterator[tuple[str, float]]:
    """Give each alarm whose notification of this drill came, and after how many seconds."""
    missing = set(raised)
    if not missing:
        return
    for notification in inbox.notifications(aws, made, time.monotonic() + deadline_seconds):
        name = str(notification.get("AlarmName"))
        of_drill = drill in str(notification.get("NewStateReason")) and notification.get("NewStateValue") == "ALARM"
        if of_drill and name in missing:
            missing.discard(name)
            yield name, time.monotonic() - raised[name]
        if not missing:
            return


def _outcome(name: str, seconds: float | None, deadline_seconds: float) -> Finding:
    if seconds is None:
        return Finding(name, "failed", f"No notification came in {deadline_seconds:.0f} s.")
    return Finding(name, "passed", "Its notification came.", seconds)


def _put_back(aws: "Aws", environment: "Environment", made: inbox.Inbox) -> list[str]:
    """Tidy up after an error or an interrupt, also of tidying. Another interrupt leaves it, and says how to go on."""
    try:
        return _tidied(aws, environment, made)
    except KeyboardInterrupt:
        left = "alarms may still be in ALARM, and the subscription and the queue may be left."
        raise _interrupted(environment, left) from None


def _tidied(aws: "Aws", environment: "Environment", made: inbox.Inbox) -> list[str]:
    """Put the alarms back and remove the inbox; return in words what has failed."""
    failed = []
    try:
        alarm_states.put_back(aws.client("cloudwatch"), environment)
    except (BotoCoreError, ClientError) as error:
        failed.append(f"alarms may still be in ALARM until CloudWatch evaluates them: {error}")
    return [*failed, *inbox.remove(aws, made)]


def _tidy(failed: list[str]) -> Finding:
    title = "All is put back: states, subscription, queue"
    return Finding(title, "failed", "; ".join(failed)) if failed else Finding(title, "passed", "nothing is left")
