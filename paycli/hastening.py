"""Where botocore is slow for a command that lives half a second, and what does the same in less time."""

import contextlib
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.utils import parse_timestamp


def hasten(session: Any) -> None:
    """Let the clients of a botocore session be made and read answers sooner; to be called before the first is made."""
    _take_names_for_services(session.get_component("data_loader"))
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=timestamp)


def _take_names_for_services(loader: Any) -> None:
    """Let the names of the folders of botocore's models do for the names of the services.

    For the first client it looks into each of the 420 folders, and theirs, for the files of one service.
    """
    paths = [path for path in loader.search_paths if Path(path).is_dir()]
    names = sorted({each.name for path in paths for each in os.scandir(path) if each.is_dir()})
    loader.list_available_services = lambda type_name: names  # noqa: ARG005 - whatever type is asked for


def timestamp(value: Any) -> datetime:
    """Return the time that an answer names; botocore takes sixty times as long for one of ISO 8601."""
    if isinstance(value, str) and value.endswith("Z"):
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(value)
    found: datetime = parse_timestamp(value)
    return found
