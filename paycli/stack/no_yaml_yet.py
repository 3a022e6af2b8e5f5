"""Imported before troposphere, lets it do without PyYAML until somebody writes YAML with it: that is paycli's own part.

troposphere imports cfn_flip for its `to_yaml`, and that imports PyYAML: 4 % of the time of a deploy, which sends JSON.
"""

import importlib
import sys
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """Stands for a module until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


sys.modules.setdefault("cfn_flip", _Later("cfn_flip"))
