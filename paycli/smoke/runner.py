"""Running checks side by side, and tidying up whatever happens."""

import difflib
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor, as_completed

from botocore.exceptions import BotoCoreError, ClientError

from paycli.aws_errors import explain
from paycli.errors import PaycliError, UsageError
from paycli.smoke.checks import CHECKS, Check
from paycli.smoke.cleanup import clean_up, staying
from paycli.smoke.patience import Patience
from paycli.smoke.result import CheckFailed, CheckResult
from paycli.smoke.session import Session, Target

# A fresh REST API and new roles are everywhere within half a minute as a rule.
DEADLINE_SECONDS = 60.0


def ignore(result: CheckResult) -> None:
    """Report nothing."""


def names() -> list[str]:
    """Return the names of the checks, in the order of their results."""
    return [check.name for check in CHECKS]


def run(
    target: Target,
    *,
    only: Collection[str] = (),
    report: Callable[[CheckResult], None] = ignore,
    deadline_seconds: float = DEADLINE_SECONDS,
) -> list[CheckResult]:
    """Check the stack: all of it, or `only` some; return the results in the order of names().

    Each result is reported as it comes, from the calling thread. What time may heal is waited for until
    the deadline. Test data is removed at the end, also after an interruption; where some of it stays, a last
    result named `cleanup` says what: failed where it couldn't be removed, passed where the queue mustn't be received
    from. Raises UsageError for an unknown name and PaycliError for a stack that lacks outputs.
    """
    checks = _selected(only)
    session = Session(target, Patience(deadline_seconds))
    results: dict[str, CheckResult] = {}
    bugs: list[BaseException] = []
    pool = ThreadPoolExecutor(len(checks), thread_name_prefix="smoke")
    try:
        for future in as_completed([pool.submit(_perform, check, session) for check in checks]):
            if bug := future.exception():
                bugs.append(bug)
                continue
            result = future.result()
            results[result.name] = result
            report(result)
        if bugs:  # of paycli itself, and raised only when the other checks have had their say
            raise bugs[0]
    finally:
        session.patience.stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        untidy = _tidy(session)
        if untidy:
            report(untidy)
        session.client.close()
    ordered = [results[check.name] for check in checks]
    return [*ordered, untidy] if untidy else ordered


def _selected(only: Collection[str]) -> list[Check]:
    for name in only:
        if name not in names():
            nearest = difflib.get_close_matches(name, names(), n=1, cutoff=0.5)
            hint = f"Did you mean {nearest[0]!r}? " if nearest else ""
            raise UsageError(
                f"There is no check {name!r}.",
                hint=f"{hint}The checks: {', '.join(names())}.",
                code="unknown_check",
            )
    return [check for check in CHECKS if not only or check.name in only]


def _perform(check: Check, session: Session) -> CheckResult:
    """Run one check; whatever AWS or the API did wrong becomes its result."""
    started = time.monotonic()
    try:
        detail = check.run(session)
    except CheckFailed as failed:
        passed, expected, found, detail = False, failed.expected, failed.found, failed.detail
    except PaycliError as error:
        passed, expected, found, detail = False, "an answer of AWS", error.message, error.hint
    except (BotoCoreError, ClientError) as error:
        meant = explain(error)
        passed, expected, found = False, "an answer of AWS", str(meant)
        detail = meant.hint if meant else ""
    else:
        passed, expected, found = True, "", ""
    return CheckResult(check.name, check.title, passed, time.monotonic() - started, expected, found, detail)


def _tidy(session: Session) -> CheckResult | None:
    """Remove the test data; return a failed result where some of it can't be, and one that says which messages stay."""
    started = time.monotonic()
    problems = clean_up(session)
    if not problems:
        stays = staying(session)
        took = time.monotonic() - started
        return CheckResult("cleanup", "The payments are removed", True, took, detail=stays) if stays else None
    return CheckResult(
        "cleanup",
        "The test data is removed",
        passed=False,
        duration_seconds=time.monotonic() - started,
        expected="nothing left behind",
        found="; ".join(problems),
    )
