"""Whether a template file is of the environment that it is audited for: E9904.

What is production is judged by what the file says of itself, so that a file that says the wrong thing would pass.
"""

from collections.abc import Iterator

from paycli.audit.findings import Finding
from paycli.audit.model import Template, mapping


def mismatch(template: Template, file: str, environment: str, *, retain_data: bool) -> Iterator[Finding]:
    """Give a finding where a file names another environment, or isn't judged as the production that it is for."""
    said = mapping(mapping(template.decoded.get("Metadata")).get("Paycli"))
    named = str(said.get("Environment", environment))
    if named != environment:
        yield _finding(file, f"It is audited for {environment}, and says of itself that it is of {named}.")
    elif retain_data and not _production(template):
        yield _finding(file, f"{environment} keeps its data, and nothing in the file says that it is production.")


def _production(template: Template) -> bool:
    from cfnlint.template import Template as Parsed

    from paycli.audit.production import in_production
    from paycli.audit.template import Stack

    return in_production(Stack(Parsed("", template.decoded)))


def _finding(file: str, message: str) -> Finding:
    return Finding(
        rule="E9904",
        severity="error",
        title="The file isn't of the environment that it is audited for",
        message=message,
        resource="",
        path="Metadata/Paycli",
        file=file,
        line=None,
        why="The rules for production hold, and risks are accepted, by environment: the wrong ones were asked.",
        requirement="A template is audited as what it is deployed as.",
        mend="Name its environment by --env; let Metadata say Paycli: {Environment, RetainData} as paycli render does.",
        url="",
    )
