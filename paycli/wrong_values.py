"""What is wrong with a value of paycli.toml, in words: what to write in its place."""

import json
import re
from collections.abc import Mapping
from typing import Any

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def in_words(problem: Mapping[str, Any]) -> str:
    """Return what one of pydantic's errors means to who wrote the file."""
    given = problem["input"]
    match problem["type"]:
        case "string_type":
            scalar = not isinstance(given, (list, dict))
            return f"write it in quotes, as {_quoted(given)}" if scalar else "must be a text in quotes"
        case "int_type" | "float_type" if isinstance(given, str) and _NUMBER.fullmatch(given):
            return f"write it without quotes, as {given}"
        case "int_type" | "int_from_float":
            return "must be a whole number"
        case "float_type":
            return "must be a number"
        case "bool_type":
            return "must be true or false, without quotes"
        case "list_type":
            return f"must be a list, as [{_quoted(given)}]" if isinstance(given, str) else "must be a list"
        case "dict_type" | "model_type":
            return "must be a table"
        case _:
            said: str = problem["msg"].removeprefix("Value error, ")
            return re.sub(r"^(Input|String|List|Tuple|Dictionary) should ", "must ", said)


def _quoted(given: object) -> str:
    """Return a scalar as a text of TOML."""
    return json.dumps(str(given).lower() if isinstance(given, bool) else str(given), ensure_ascii=False)
