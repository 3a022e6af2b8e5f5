"""Which way one setting went: whether its new value lets more through, or protects less, than the old one."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from paycli.audit.changes import NARROWER, NEUTRAL, WIDER
from paycli.audit.differences import Difference
from paycli.audit.model import Properties


@dataclass(frozen=True)
class Setting:
    """A setting that differs, with the properties of its resource before and after."""

    difference: Difference
    before: Properties
    after: Properties

    @property
    def values(self) -> tuple[str | None, str | None]:
        """The old value and the new one."""
        return self.difference.old, self.difference.new


# Returns a direction, or None where others tell the change.
Judge = Callable[[Setting], str | None]


def unknown(_: Setting) -> str:
    """Count what can't be told as wider."""
    return WIDER


def neither(_: Setting) -> str:
    """Judge what protects nothing and lets nothing through."""
    return NEUTRAL


def silent(_: Setting) -> None:
    """Leave it to what the facts say."""


def present(setting: Setting) -> str:
    """Judge a protection: weaker when it goes or is another one."""
    return NARROWER if setting.difference.old is None else WIDER


def absent(setting: Setting) -> str:
    """Judge a way in or out: narrower only when it goes."""
    return NARROWER if setting.difference.new is None else WIDER


def kept(setting: Setting) -> str | None:
    """Judge what is weaker when it goes or is another one; that it came is told elsewhere."""
    return None if setting.difference.old is None else WIDER


def _number(text: str | None, without: float) -> float | None:
    try:
        return without if text is None else float(text)
    except ValueError:
        return None


def least(without: float = 0) -> Judge:
    """Judge a number that is weaker the lower it is; `without` holds where none is written."""
    return lambda setting: _by_number(setting, without, 1)


def most(without: float = float("inf")) -> Judge:
    """Judge a number that is weaker the higher it is."""
    return lambda setting: _by_number(setting, without, -1)


def _by_number(setting: Setting, without: float, sign: int) -> str:
    old, new = (_number(value, without) for value in setting.values)
    if old is None or new is None:
        return WIDER
    if old == new:
        return NEUTRAL
    return NARROWER if (new - old) * sign > 0 else WIDER


def ranked(*values: str, without: str) -> Judge:
    """Judge one of several values, from the weakest to the strongest; any other one can't be told."""

    def judge(setting: Setting) -> str:
        old, new = (without if value is None else value for value in setting.values)
        if old not in values or new not in values:
            return WIDER
        return _by_rank(values.index(old), values.index(new))

    return judge


def _by_rank(old: int, new: int) -> str:
    return NEUTRAL if old == new else NARROWER if new > old else WIDER


ON = ranked("false", "true", without="false")
ON_BY_DEFAULT = ranked("false", "true", without="true")
OFF = ranked("true", "false", without="false")


def more(setting: Setting) -> str:
    """Judge a list that is weaker when an entry goes; where another comes instead, that can't be told."""
    old, new = (set((value or "").split(", ")) - {""} for value in setting.values)
    return NARROWER if old < new else WIDER


def fewer(setting: Setting) -> str:
    """Judge a list that is weaker when an entry comes."""
    old, new = (set((value or "").split(", ")) - {""} for value in setting.values)
    return NARROWER if new < old else WIDER


# What a web ACL does with a request, from the weakest. A group's own actions hold where nothing overrides them.
_ACTIONS = ("Allow", "Count", "Challenge", "Captcha", "Block", "None")
_WORD = re.compile(r"\w+")


def action(setting: Setting) -> str:
    """Judge what a web ACL does with the requests that a rule finds, or that none finds."""
    old, new = ((_WORD.findall(value or "") or [""])[0] for value in setting.values)
    if old not in _ACTIONS or new not in _ACTIONS:
        return WIDER
    return _by_rank(_ACTIONS.index(old), _ACTIONS.index(new))


def new_rule(setting: Setting) -> str:
    """Judge a rule of a web ACL: a protection, but for one that lets through what others would stop."""
    return WIDER if "Action: Allow" in (setting.difference.new or "") else present(setting)


def override(setting: Setting) -> str:
    """Judge a group's rule whose action is overridden: that it counts alone is weaker, that it blocks is stronger."""
    old, new = ("Block" if value is None else value for value in setting.values)
    weak = [re.search("Allow|Count", value) is not None for value in (old, new)]
    return NARROWER if weak == [True, False] else WIDER


_VARIABLE = re.compile(r"\$(?:context|input|stageVariables)[\w.]*")


def fields(setting: Setting) -> str:
    """Judge a log's format by its fields: weaker when one goes."""
    old, new = (set(_VARIABLE.findall(value or "")) for value in setting.values)
    return NEUTRAL if old == new else NARROWER if old < new else WIDER


def revealed(setting: Setting) -> str:
    """Judge an answer by what it tells of the request: wider when it tells more."""
    old, new = (set(_VARIABLE.findall(value or "")) for value in setting.values)
    return WIDER if new - old else NARROWER if old - new else NEUTRAL


def threshold(setting: Setting) -> str:
    """Judge an alarm's threshold by its comparison: weaker when more must happen."""
    operators = {str(properties.get("ComparisonOperator")) for properties in (setting.before, setting.after)}
    operator = operators.pop() if len(operators) == 1 else ""
    if operator.startswith("GreaterThan"):
        return _by_number(setting, float("nan"), -1)
    return _by_number(setting, float("nan"), 1) if operator.startswith("LessThan") else WIDER


def parameters(setting: Setting) -> str:
    """Judge where code comes from: narrower only when the deploy says it again, by its parameters."""
    old, new = setting.values
    return NARROWER if (new or "").startswith("<") and not (old or "").startswith("<") else WIDER


_OPEN = ranked("true", "false", without="true")


def schema(setting: Setting) -> str | None:
    """Judge a word of a JSON schema: weaker when more bodies pass. A property that comes or goes can't be told."""
    word = setting.difference.path[-1]
    old, new = setting.values
    if word in {"$schema", "title", "description"}:
        return None
    if word == "additionalProperties":
        return _OPEN(setting)
    if word == "required":
        return more(setting)
    if word.startswith("max"):
        return most()(setting)
    if word.startswith("min"):
        return least()(setting)
    if word in {"enum", "pattern", "format"} and None in (old, new):
        return present(setting)
    return fewer(setting) if word in {"type", "enum"} and None not in (old, new) else WIDER
