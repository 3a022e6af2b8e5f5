"""A failure as a small report: the cause first, then what else failed by itself, then what became of the stack."""

from collections.abc import Iterator, Sequence
from typing import Any

from paycli.deployment.failure import reason as reasons
from paycli.deployment.failure.cause import Cause
from paycli.deployment.failure.explanations import Explanation
from paycli.deployment.failure.rule import REFUSED

# By how the status begins; the stack's own ROLLBACK_IN_PROGRESS is that of a create.
_FAILED = {
    REFUSED: "was refused before anything was changed",
    "CREATE": "could not be created",
    "ROLLBACK": "could not be created",
    "UPDATE": "could not be updated",
    "DELETE": "could not be deleted",
    "IMPORT": "could not be taken over",
}
_SILENT = "CloudFormation gives no reason."
# What the class of an error says where its reason is none of the frequent ones.
_BY_CODE = {
    "InvalidRequest": "AWS refuses one of its values",
    "GeneralServiceException": "its service refused it",
    "NotUpdatable": "AWS can't update it",
    "ServiceTimeout": "its service didn't answer in time",
}


def lines(causes: Sequence[Cause], lifted: Explanation | None) -> Iterator[str]:
    """Give the report of the causes, which are all of the operation or all of its rollback.

    `lifted` is the explanation whose hint stands below the report as the error's own.
    """
    told: list[Explanation] = []
    for number, cause in enumerate(causes):
        if number == 1:
            yield f"{len(causes) - 1} more failed by {'themselves' if len(causes) > 2 else 'itself'}:"
        indent = "  " if number else ""
        yield from (indent + line for line in _block(cause, told, lifted))


def _block(cause: Cause, told: list[Explanation], lifted: Explanation | None) -> Iterator[str]:
    """Give a cause's lines; an explanation stands only once."""
    explanation = cause.explanation
    summary = explanation.summary if explanation else _BY_CODE.get(reasons.handler_code(cause.reason))
    if summary is None:
        yield f"{_headline(cause)}: {_indented(reasons.said(cause.reason)) or _SILENT}"
    else:
        yield f"{_headline(cause)}: {summary}."
        yield f"  AWS says{f' ({cause.check})' if cause.check else ''}: {_indented(reasons.said(cause.reason))}"
    if cause.property_path:
        yield f"  Property: {cause.property_path}"
    if explanation and explanation not in told:
        told.append(explanation)
        hint = "" if explanation == lifted else explanation.hint
        yield f"  {explanation.text} {hint}".rstrip()


def silent(status: str, stack: str) -> str:
    """Return the report of an operation that failed without any cause."""
    if status == "DELETE_COMPLETE":  # and a delete wasn't wanted
        return f"{stack} was deleted while paycli worked on it."
    return f"{stack} {_failed(status)}: {_SILENT}"


def _headline(cause: Cause) -> str:
    name = f" {cause.name}" if cause.name not in {"", cause.logical_id} else ""
    subject = cause.stack if cause.of_stack else f"{cause.logical_id} ({cause.resource_type}{name})"
    put_back = cause.rollback and cause.status.startswith("UPDATE")
    return f"{subject} {'could not be put back' if put_back else _failed(cause.status)}"


def _failed(status: str) -> str:
    return next((words for begin, words in _FAILED.items() if status.startswith(begin)), "failed")


def _indented(text: str) -> str:
    """Keep a text of several lines apart from the report's own."""
    return text.strip().replace("\n", "\n    ")


def data(cause: Cause) -> dict[str, Any]:
    """Return a cause as the JSON document has it."""
    explanation = cause.explanation
    return {
        "logical_id": cause.logical_id,
        "resource_type": cause.resource_type,
        "physical_id": cause.physical_id,
        "status": cause.status,
        "reason": cause.reason,
        "property": cause.property_path,
        "check": cause.check,
        "rollback": cause.rollback,
        "kind": explanation.kind if explanation else "unknown",
        "explanation": explanation.text if explanation else "",
        "hint": explanation.hint if explanation else "",
    }
