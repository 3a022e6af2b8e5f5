"""A project whose environments live on the fake AWS, driven as a user drives it: paycli as a process of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from paycli import configuration
from paycli.deployment.package import package
from paycli.handlers_source import handlers_root
from paycli.stack import build
from paycli.stack.bootstrap import BOOTSTRAP_STACK, build_bootstrap
from paycli.stack.rendering import to_json
from tests import terminal
from tests.fakes.cloudformation.fake import FakeAws, Point
from tests.fakes.cloudformation.model import Json, Stack

_OURS = {"ManagedBy": "paycli"}

# What a test does at a moment: a signal for paycli, or whatever the function does.
Happening = signal.Signals | Callable[[], object]


@dataclass(frozen=True)
class Ran:
    """How a command ended, what it said, and when (`time.monotonic()`)."""

    status: int
    out: str
    err: str
    began: float
    ended: float

    @property
    def document(self) -> dict[str, Any]:
        """The document that --json prints."""
        document: dict[str, Any] = json.loads(self.out)
        return document


@dataclass(frozen=True)
class FakeProject:
    """A folder with a paycli.toml, and the AWS that its commands reach."""

    root: Path
    aws: FakeAws
    lint_memory: Path

    def run(
        self, *arguments: str, moments: Sequence[tuple[Point, Happening]] = (), seconds: float = 60, **more: str
    ) -> Ran:
        """Run paycli to its end; at each point its signal is sent, or its function called, one after the other.

        `seconds` is when it is given up; `more` are environment variables.
        """
        began = time.monotonic()
        process = self.begin(*arguments, **more)
        pending = list(moments)
        try:
            while pending and process.poll() is None and time.monotonic() < began + seconds:
                point, happening = pending[0]
                if point():
                    pending.pop(0)
                    process.send_signal(happening) if isinstance(happening, signal.Signals) else happening()
                time.sleep(0.005)
            out, err = process.communicate(timeout=seconds)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        return Ran(process.returncode, out, err, began, time.monotonic())

    def on_terminal(self, *arguments: str, typed: Sequence[tuple[Point | str, str]] = ()) -> Ran:
        """Run paycli on a terminal to its end; what it shows is `out`.

        Each text is typed when its point is reached, or when these words have been shown, one after the other.
        """
        began = time.monotonic()
        script = [(_cue(when), text) for when, text in typed]
        status, shown = terminal.run(self.root, self._variables(), arguments, script)
        return Ran(status, shown, "", began, time.monotonic())

    def begin(self, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        """Start paycli and return at once."""
        return subprocess.Popen(
            [sys.executable, "-m", "paycli", *arguments],
            cwd=self.root,
            env={**self._variables(), **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _variables(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PAYCLI_"))}
        return {**clean, **self.aws.environ}

    def linted(self, name: str) -> None:
        """Let an environment's template, as it is now, count as linted; other projects of the session profit."""
        from paycli.deployment import lint

        with mock.patch("cfnlint.api.lint", return_value=[]):  # the tests of the stack ask it
            lint.check(self.body(name), self.aws.engine.region, self.lint_memory, print)
        shutil.copytree(self.lint_memory / ".paycli", self.root / ".paycli", dirs_exist_ok=True)

    def bootstrap(
        self, status: str = "CREATE_COMPLETE", lasts: float = 10.0, *, failed: Mapping[str, str] | None = None
    ) -> str:
        """Let the bootstrap stack stand, and return its bucket, if it has one."""
        template = json.loads(to_json(build_bootstrap(retain=True, tls_only=True, log_role=True)))
        stack = self.aws.put_stack(BOOTSTRAP_STACK, status, template, tags=_OURS, failed=failed, lasts=lasts)
        return stack.outputs.get("ArtifactBucket", "")

    def deployed(
        self,
        name: str = "dev",
        status: str = "CREATE_COMPLETE",
        *,
        other: Callable[[Json], None] = lambda _template: None,
        failed: Mapping[str, str] | None = None,
        lasts: float = 10.0,
        code: str = "",
    ) -> Stack:
        """Let an environment's stack stand as this version of paycli makes it, on a bootstrap stack.

        `other` changes its template first, and `code` is the key of another package, so that a deploy has something
        to do.
        """
        bucket = self.bootstrap()
        environment = self._environment(name)
        template = json.loads(self.body(name))
        parameters = {
            "ArtifactBucket": bucket,
            "CodeKey": code or package(handlers_root()).key,
            "DeletionProtection": "true",
        }
        other(template)
        return self.aws.put_stack(
            environment.stack_name,
            status,
            template,
            parameters={key: value for key, value in parameters.items() if key in template["Parameters"]},
            tags=environment.all_tags,
            failed=failed,
            lasts=lasts,
        )

    def body(self, name: str) -> str:
        """Return an environment's template as this version of paycli makes it."""
        return to_json(build(self._environment(name)))

    def _environment(self, name: str) -> Any:
        return configuration.load(name, self.root, "--env").environment


def _cue(when: Point | str) -> terminal.Cue:
    if isinstance(when, str):
        return lambda shown: when in shown
    return lambda _shown: when()
