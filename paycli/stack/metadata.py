"""What a template says of itself: the audit's rules ask it whether this is production."""

from typing import TYPE_CHECKING

from troposphere import Template

if TYPE_CHECKING:
    from paycli.environment import Environment


def add_metadata(template: Template, environment: "Environment") -> None:
    """State the environment's name, and whether its data outlives the stack (paycli/audit/production.py reads it)."""
    template.set_metadata({"Paycli": {"Environment": environment.name, "RetainData": environment.retain_data}})
