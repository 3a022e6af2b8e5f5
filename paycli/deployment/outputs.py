"""The outputs of a stack, as the user needs them, and the file they are written to."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path

from paycli.aws import Aws
from paycli.deployment.stacks import Stack
from paycli.files import write_whole

FILE = Path("cfn-outputs") / "flat-outputs.json"


def resolved(aws: Aws, stack: Stack) -> dict[str, str]:
    """Return the outputs by key; on the embedded AWS the endpoint is the one that answers on this machine."""
    outputs = dict(sorted(stack.outputs.items()))
    if aws.endpoint_url:
        path = f"restapis/{outputs['RestApiId']}/{outputs['StageName']}/_user_request_/"
        outputs["APIEndpoint"] = f"{aws.endpoint_url}/{path}"
    return outputs


def write(outputs: Mapping[str, str], root: Path) -> Path:
    """Write `cfn-outputs/flat-outputs.json` whole or not at all, and return its path."""
    path = root / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(outputs, indent=2) + "\n")
    return path


def forget(stack: Stack, root: Path) -> None:
    """Remove the file if it speaks of this stack, so that no client calls an API that is gone.

    Raises OSError or ValueError where it can't be read or removed.
    """
    path = root / FILE
    if path.exists():
        written = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(written, dict) and written.get("RestApiId") == stack.outputs.get("RestApiId"):
            path.unlink()
            with contextlib.suppress(OSError):  # somebody else's file may lie beside it
                path.parent.rmdir()
