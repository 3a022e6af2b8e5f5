"""What can go wrong, in one shape: a message, a hint, a code for programs and an exit status."""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any


class ExitStatus(IntEnum):
    """The exit status of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CONFIGURATION = 3
    DIFFERENT = 4
    INTERRUPTED = 130


class PaycliError(Exception):
    """An expected error: shown as one message and one hint, never as a traceback.

    `code` is a stable snake_case word that programs can test; `hint` says what to do next; `data` is what
    programs get besides (`data` of the JSON document).
    """

    status = ExitStatus.FAILED

    def __init__(
        self, message: str, *, hint: str = "", code: str = "failed", data: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.data = data or {}


class UsageError(PaycliError):
    """The command line asks for something that can't be."""

    status = ExitStatus.USAGE


class ConfigurationError(PaycliError):
    """paycli.toml, the credentials, the region or the account is not what it must be."""

    status = ExitStatus.CONFIGURATION


class DetachedError(PaycliError):
    """The user ended the command while AWS was at work; AWS goes on."""

    status = ExitStatus.INTERRUPTED


def unknown(where: str, name: str, known: Iterable[str]) -> ConfigurationError:
    """Return the error of a name that isn't known at `where`; it names the nearest one that is."""
    nearest = nearest_name(name, known)
    hint = f"Did you mean {nearest!r}?" if nearest else f"Known: {', '.join(sorted(set(known)))}."
    return ConfigurationError(f"{where}: there is no such thing", hint=hint, code="config_unknown")


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like `name`, if any is."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, list(known), n=1, cutoff=0.66)), None)


def not_deployed(stack_name: str, environment: str) -> PaycliError:
    """Return the error of a command that needs a deployed stack where there is none."""
    return PaycliError(
        f"The stack {stack_name} isn't deployed.", hint=f"paycli deploy --env {environment}", code="not_deployed"
    )
