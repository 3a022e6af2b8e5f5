"""A project whose environments live on the fake AWS, driven as a user drives it: paycli as a process of its own."""

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from paycli import configuration
from paycli.deployment.package import package
from paycli.handlers_source import handlers_root
from paycli.stack import build
from paycli.stack.bootstrap import BOOTSTRAP_STACK, build_bootstrap
from paycli.stack.rendering import to_json
from tests import terminal
from tests.command_line import CommandLine, Happening, Point, Ran, clean
from tests.fakes.cloudformation.fake import FakeAws
from tests.fakes.cloudformation.model import Json, Stack

if TYPE_CHECKING:
    import subprocess

_OURS = {"ManagedBy": "paycli"}


@dataclass(frozen=True)
class FakeProject:
    """A folder with a paycli.toml, and the AWS that its commands reach."""

    root: Path
    aws: FakeAws
    lint_memory: Path

    @property
    def command_line(self) -> CommandLine:
        """paycli, called in this folder on this AWS."""
        return CommandLine(self.root, self.aws.environ)

    def run(
        self, *arguments: str, moments: Sequence[tuple[Point, Happening]] = (), seconds: float = 60, **more: str
    ) -> Ran:
        """Run paycli to its end, as `CommandLine.run` does."""
        return self.command_line.run(*arguments, moments=moments, seconds=seconds, **more)

    def on_terminal(self, *arguments: str, typed: Sequence[tuple[Point | str, str]] = ()) -> Ran:
        """Run paycli on a terminal to its end; what it shows is `out`.

        Each text is typed when its point is reached, or when these words have been shown, one after the other.
        """
        began = time.monotonic()
        script = [(_cue(when), text) for when, text in typed]
        status, shown = terminal.run(self.root, clean(**self.aws.environ), arguments, script)
        return Ran(status, shown, "", began, time.monotonic())

    def begin(self, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        """Start paycli and return at once."""
        return self.command_line.begin(*arguments, **more)

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
