"""What AWS refuses of a deploy's requests: why, in plain words, and what to run next."""

from typing import Any

from paycli.aws_errors import denial, explained, words
from paycli.deployment.failure.explanations import explain
from paycli.deployment.failure.rule import STACK
from paycli.errors import PaycliError


def refused(error: Any, environment: str, command: str, *, stack: str, unchanged: str) -> PaycliError:
    """Return the error of a request that AWS refuses (a ClientError) for a stack; `command` is to be run again.

    `unchanged` says what that leaves as it was.
    """
    said, known = words(error), explained(error)
    notes = " ".join(getattr(error, "__notes__", []))
    if known.code == "aws_error" and (meaning := explain(said, STACK, stack, stack=stack)):
        summary = meaning.summary[0].upper() + meaning.summary[1:]
        hint = f"{notes} {meaning.hint} Then: {command}".lstrip()
        known = PaycliError(f"{summary}. AWS says: {said}", hint=hint, code=meaning.kind)
    elif known.code == "aws_error":  # nobody knows it: AWS's words are all there is
        known.hint = f"{notes} Mend what AWS names. Then: {command}".lstrip()
    elif known.code == "access_denied":
        missing = denial(said)
        first = f"{missing.hint} " if missing else f"The caller needs the right for {error.operation_name}. "
        policy = f"`paycli config deployer-policy --env {environment}`"
        known.hint = f"{notes} {first}{policy} prints all that a deploy needs. Then: {command}".lstrip()
    known.message = f"{known.message}\n{unchanged}"
    return known
