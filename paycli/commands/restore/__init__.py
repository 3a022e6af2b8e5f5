"""`paycli restore`: recover the transactions table, beside the live one, and copy back what is lost."""

from typing import Any

import click

from paycli import console
from paycli.commands.common import Project, environment_command
from paycli.commands.restore.wish import Wish
from paycli.console import Result
from paycli.errors import UsageError

_ACTIONS = ("to", "deleted", "finish", "compare", "merge", "cleanup")


@click.command(
    "restore",
    epilog="""\b
Example: paycli restore --env prod --to 2026-11-23T09:30:00Z
         paycli restore --env prod --compare
         paycli restore --env prod --merge
         paycli restore --env prod --cleanup""",
)
@click.option("--to", metavar="TIME", help="Restore beside the live table: 15m (ago), an ISO 8601 time, or latest.")
@click.option("--deleted", is_flag=True, help="The table was deleted: restore it in its place.")
@click.option("--finish", is_flag=True, help="Follow an interrupted restore to its end, and complete the table.")
@click.option("--compare", is_flag=True, help="Say what differs from the live table. Exits with 4 where anything does.")
@click.option("--merge", is_flag=True, help="Copy back what the live table lacks. Goes on where it was interrupted.")
@click.option("--cleanup", is_flag=True, help="Delete the restored table.")
@click.option("--table", metavar="NAME", help="The restored table to work on.  [default: the newest]")
@click.option("--sample", type=click.IntRange(0, 1000), default=10, show_default=True, help="Shown of each difference.")
@click.option("--segments", type=click.IntRange(1, 8), default=4, show_default=True, help="Read so many in parallel.")
@click.option(
    "--transaction", "transactions", metavar="ID", multiple=True, help="Merge only this one; may be repeated."
)
@click.option("--overwrite", is_flag=True, help="Replace what differs in the live table: see above.")
@click.option("--count", type=click.IntRange(1), help="Overwrite all, if they are so many, and don't ask.")
@click.option("--include-expired", "expired", is_flag=True, help="Merge also payments that have expired unprocessed.")
@click.option("--yes", is_flag=True, help="Don't ask; for CI.")
@environment_command
def command(
    project: Project,
    to: str | None,
    deleted: bool,
    finish: bool,
    compare: bool,
    merge: bool,
    cleanup: bool,
    **wished: Any,
) -> Result:
    """Recover the transactions table. Without an action: show what can be restored, and what was.

    --to restores beside the live table, which stays as it is and stays the stack's; --compare, --merge and --cleanup
    work on the restored one. No payment details are shown: ids, status and names of attributes.

    --merge writes only what is absent. With --overwrite it replaces payments that differ, by a condition that they
    are still as they were read: those of --transaction, or all where a confirmation, or --count, names their number.
    It never turns processed into validated: of what was processed since, only the other attributes are put back.
    docs/recovery.md leads through the cases.
    """
    wish = Wish(**wished)
    asked = [
        name for name, value in zip(_ACTIONS, (to, deleted, finish, compare, merge, cleanup), strict=True) if value
    ]
    _check_options(asked, wish)
    from paycli.aws import check_caller
    from paycli.commands.restore import back, beside
    from paycli.commands.restore.wish import chosen

    aws = project.connect_to_deployed()
    caller = check_caller(aws, project.environment)
    if deleted:
        return beside.undelete(project, aws, caller, wish)
    if to:
        return beside.restore(project, aws, to, wish, compare=compare)
    if finish:
        return beside.finish(project, aws, wish)
    if compare:
        return back.compared(back.compare_tables(aws, chosen(project, aws, wish)[1], wish))
    if merge:
        return back.merge(project, aws, caller, wish)
    if cleanup:
        return beside.cleanup(project, aws, caller, wish)
    return beside.show(project, aws)


def _check_options(asked: list[str], wish: Wish) -> None:
    if len(asked) > 1 and asked != ["to", "compare"]:
        raise UsageError(
            f"One action at a time: --{' or --'.join(asked)}.",
            hint="Only --to and --compare go together.",
            code="usage",
        )
    merges = bool(wish.transactions or wish.overwrite or wish.count or wish.expired)
    if merges and asked != ["merge"]:
        raise UsageError(
            "--transaction, --overwrite, --count and --include-expired belong to --merge.",
            hint="Add --merge, or leave them out.",
            code="usage",
        )
    if wish.count and (not wish.overwrite or wish.transactions):
        raise UsageError("--count is for --overwrite without --transaction.", hint="Leave --count out.", code="usage")
    asks = not wish.yes and console.can_ask()
    if wish.overwrite and not asks and not (wish.transactions or wish.count):
        raise UsageError(
            "--overwrite without a question has to say what is overwritten.",
            hint="Name each payment with --transaction, or their number with --count, as --compare says it.",
            code="usage",
        )
    if asked in (["deleted"], ["cleanup"], ["merge"]):
        console.require_answer(yes=wish.yes or wish.count is not None)
