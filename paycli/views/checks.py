"""How the checks of a smoke test look."""

from typing import TYPE_CHECKING

from paycli.text import printable

if TYPE_CHECKING:
    from rich.text import Text

    from paycli.smoke import CheckResult


def check_line(result: "CheckResult") -> "Text":
    """Show one check of the smoke test in a line."""
    from rich.text import Text

    line = Text()
    line.append("PASS  " if result.passed else "FAIL  ", style="green" if result.passed else "bold red")
    line.append(f"{result.duration_seconds:6.2f} s  {result.name:<18} {result.title}")
    said = result.detail if result.passed else f"expected {result.expected}; found {result.found}"
    if said:
        line.append(f" ({printable(said)})", style="dim" if result.passed else "red")
    return line
