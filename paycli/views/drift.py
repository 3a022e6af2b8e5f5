"""How a drift looks."""

from typing import TYPE_CHECKING

from paycli.table import Table
from paycli.text import differing, printable

if TYPE_CHECKING:
    from paycli.operations.drift import Drift

_BAD = "bold red"


def drift(found: "Drift") -> list[Table | str]:
    """Show a drift: a row a property, `Set` as CloudFormation set it and `Now` as it is."""
    shown: list[Table | str] = []
    if not found.resources:
        shown.append(f"Nothing of {found.stack} has drifted.")
    else:
        rows = Table(("Drift", "Resource", "Type", "Property", "Set", "Now"), title=f"Drift of {found.stack}")
        for resource in found.resources:
            named = resource.status, resource.logical_id, resource.resource_type
            for one in resource.differences:
                values = differing(one.before, one.after)  # --json has all
                rows.add_row(*named, *map(printable, (one.path, *values)))
            if not resource.differences:
                rows.add_row(*named, "", printable(resource.physical_id), "", style=_BAD)
        shown.append(rows)
    if found.unchecked:
        shown.append(f"CloudFormation can't tell of {', '.join(found.unchecked)}.")
    return shown
