"""Where the handlers lie: the one place that knows."""

import sys
import traceback
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import paycli
from paycli.errors import ConfigurationError, PaycliError


def handlers_root() -> Path:
    """Return the folder `handlers`: the checkout's first, else the one that travels in the wheel.

    The order matters: an editable install leaves a stale copy of the wheel's data in site-packages.
    """
    package = Path(paycli.__file__).parent
    for root in (package.parent / "handlers", package / "_payload" / "handlers"):
        if (root / "payments" / "contract.py").is_file():
            return root
    raise PaycliError(
        "The handlers are missing from this installation of paycli.",
        hint="Install paycli again, or run it from a checkout that has the folder handlers/.",
        code="handlers_missing",
    )


def demand_own(root: Path) -> None:
    """Raise ConfigurationError where the project at `root` has handlers of its own, and others would be deployed.

    A second checkout, or a git worktree, in which the first one's paycli is called: its commit would be put on record
    for the other's code.
    """
    used, own = handlers_root(), root / "handlers"
    is_checkout = (own / "payments" / "contract.py").is_file() and (root / "paycli" / "__init__.py").is_file()
    if is_checkout and own.resolve() != used.resolve():
        raise ConfigurationError(
            f"{root} has handlers of its own, but the paycli that runs would take those of {used.parent}.",
            hint="Call the paycli of this checkout (`make .venv` makes it here), or go to the other one.",
            code="other_checkout",
        )


def load_contract() -> ModuleType:
    """Return `payments/contract.py` as a module of its own.

    Nothing else of the handlers runs, no package is imported, and no bytecode is left beside the sources. In
    sys.modules it stands only while it runs, and under a name of its own: `handlers` may mean somebody else's.
    """
    path = handlers_root() / "payments" / "contract.py"
    loader = SourceFileLoader("paycli_handlers_contract", str(path))
    module = ModuleType(loader.name, "The payment contract, loaded by its path.")
    module.__file__ = str(path)
    sys.modules[loader.name] = module  # dataclasses look their module up there
    try:
        exec(loader.source_to_code(path.read_bytes(), str(path)), module.__dict__)  # noqa: S102
    except Exception as error:
        line = error.lineno if isinstance(error, SyntaxError) else traceback.extract_tb(error.__traceback__)[-1].lineno
        raise PaycliError(
            f"{path}:{line} can't be loaded: {type(error).__name__}: {error}",
            hint="The API's request models are made from it.",
            code="contract_broken",
        ) from error
    finally:
        del sys.modules[loader.name]
    return module
