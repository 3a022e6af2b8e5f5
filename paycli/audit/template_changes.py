"""All that differs between two templates: the facts that a report has, and every setting beside them."""

from collections.abc import Iterator

from paycli.audit.changes import Change
from paycli.audit.differences import Side
from paycli.audit.model import Template
from paycli.audit.readable import Names
from paycli.audit.resource_changes import resource_changes
from paycli.audit.setting_changes import setting_changes


def template_changes(before: Template, after: Template) -> Iterator[Change]:
    """Give what differs in resources and their settings, where the facts don't tell it."""
    sides = Side(before, Names(before)), Side(after, Names(after))
    yield from resource_changes(*sides)
    yield from setting_changes(*sides)
