"""The three functions."""

from typing import TYPE_CHECKING

from paycli.smoke.result import CheckFailed

if TYPE_CHECKING:
    from paycli.smoke.session import Session


def check_functions(session: "Session") -> str:
    """The functions are active, with the code that was deployed."""
    functions = session.functions()
    deployed = session.target.code_sha256
    if deployed is None:
        return "active; their code isn't compared: which package was deployed is unknown"
    other = [function for function in functions if function["CodeSha256"] != deployed]
    if other:
        raise CheckFailed(
            f"the deployed code (CodeSha256 {deployed})",
            ", ".join(f"{function['FunctionName']}: {function['CodeSha256']}" for function in other),
            "Somebody changed the code past the stack; the next deploy of a change brings it back.",
        )
    return f"{len(functions)} active, CodeSha256 {deployed}"
