"""A fake AWS for one account and region: CloudFormation, and the few other calls that a deploy makes."""

import os
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from tests.command_line import Point
from tests.fakes.cloudformation import initial
from tests.fakes.cloudformation.account import Standing
from tests.fakes.cloudformation.clock import Clock
from tests.fakes.cloudformation.engine import Engine
from tests.fakes.cloudformation.errors import FakeProblem
from tests.fakes.cloudformation.faults import Faults
from tests.fakes.cloudformation.model import Json, Stack
from tests.fakes.cloudformation.scenario import Scenario
from tests.fakes.cloudformation.server import Call, Desk, Server


class FakeAws:
    """Starts with the object and stops with `close`, or as a context manager.

    `speed` is how many virtual seconds pass in a real one; 0 lets time pass only by `skip`.
    """

    def __init__(
        self, *, speed: float = 50.0, region: str = "us-east-1", account_id: str = "111111111111", seed: int = 1
    ) -> None:
        self.clock = Clock(speed)
        self.engine = Engine(self.clock, region, account_id, seed)
        self.faults = Faults()
        self._desk = Desk(self.engine, self.faults)
        self._server = Server(self._desk.handle)
        self.url = self._server.url

    def __enter__(self) -> "FakeAws":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop; raises FakeProblem where a call asked for what the fake doesn't have, or has broken it."""
        self._server.close()
        if self.problems:
            raise FakeProblem("\n".join(self.problems))

    @property
    def problems(self) -> list[str]:
        """What `close` will complain of."""
        return self._desk.problems

    @property
    def environ(self) -> dict[str, str]:
        """What points boto3 in another process here, and at nothing else."""
        return pointing_at(self.url, self.engine.region)

    @property
    def scenario(self) -> Scenario:
        return self.engine.scenario

    @property
    def calls(self) -> list[Call]:
        """Every call so far, in order."""
        with self._desk.lock:
            return list(self._desk.calls)

    def operations(self, service: str = "cloudformation") -> list[str]:
        """The names of the calls to a service, in order."""
        return [call.operation for call in self.calls if call.service == service]

    @property
    def objects(self) -> Mapping[str, Mapping[str, bytes]]:
        """What lies in S3: bucket -> key -> content."""
        return self._desk.s3.objects

    def lay(self, bucket: str, key: str, content: bytes) -> None:
        """Let an object lie in S3."""
        with self._desk.lock:
            self._desk.s3.objects.setdefault(bucket, {})[key] = content

    def take(self, key: str) -> None:
        """Take an object out of S3."""
        with self._desk.lock:
            for objects in self._desk.s3.objects.values():
                objects.pop(key, None)

    def skip(self, seconds: float) -> None:
        """Let virtual seconds pass at once."""
        with self._desk.lock:
            self.clock.skip(seconds)
            self.engine.advance()

    def advance(self) -> None:
        """Bring every stack to where it is by now; each look at one does so."""
        with self._desk.lock:
            self.engine.advance()

    def find(self, name: str) -> Stack | None:
        """Return the stack of a name (the newest one, deleted or not) or id."""
        with self._desk.lock:
            self.engine.advance()
            return next((one for one in reversed(self.engine.stacks) if name in {one.name, one.stack_id}), None)

    def stack(self, name: str) -> Stack:
        """Return the stack of a name or id; raises FakeProblem where there never was one."""
        found = self.find(name)
        if found is None:
            raise FakeProblem(f"there is no stack {name}; there are {[one.name for one in self.engine.stacks]}")
        return found

    def standing(self, resource_type: str, physical_id: str) -> Standing | None:
        """Return what really stands in the account."""
        with self._desk.lock:
            self.engine.advance()
            return self.engine.account.find(resource_type, physical_id)

    def leave_behind(self, resource_type: str, physical_id: str, properties: Json) -> None:
        """Let a resource stand that no stack owns."""
        with self._desk.lock:
            self.engine.account.resources.append(Standing(resource_type, physical_id, properties))

    def alter(self, stack: str, logical_id: str, **properties: Any) -> None:
        """Change a resource behind CloudFormation's back."""
        found = self._stands(stack, logical_id)
        found.properties = {**found.properties, **properties}

    def destroy(self, stack: str, logical_id: str) -> None:
        """Delete a resource behind CloudFormation's back."""
        self.engine.account.remove(self._stands(stack, logical_id))

    def _stands(self, stack: str, logical_id: str) -> Standing:
        resource = self.stack(stack).resources[logical_id]
        found = self.standing(resource.type, resource.physical_id)
        if found is None:
            raise FakeProblem(f"{stack}/{logical_id} doesn't stand")
        return found

    def alarm(self, name: str, state: str) -> None:
        """Set the state of an alarm: OK, ALARM or INSUFFICIENT_DATA."""
        self.engine.account.alarms[name] = state

    def key(self, key_id: str, state: str) -> None:
        """Set the state of a KMS key: Enabled, Disabled, PendingDeletion, ..."""
        self.engine.account.keys[key_id] = state

    def reached(self, stack: str, status: str, logical_id: str = "") -> Point:
        """Return whether a stack, or a resource of it, has come to a status; for `wait` and for signals."""

        def there() -> bool:
            found = self.find(stack)
            named = logical_id or stack
            return found is not None and any((one.logical_id, one.status) == (named, status) for one in found.events)

        return there

    def asked(self, operation: str, times: int = 1) -> Point:
        """Return whether an operation is called `times` times from now on; for `wait` and for signals."""
        before = len(self.calls)
        return lambda: sum(call.operation == operation for call in self.calls[before:]) >= times

    def wait(self, point: Point, seconds: float = 20.0) -> None:
        """Wait in real time until a point is reached."""
        deadline = time.monotonic() + seconds
        while not point():
            if time.monotonic() > deadline:
                raise FakeProblem(f"not reached in {seconds} s")
            time.sleep(0.005)

    def settled_at(self, stack: str) -> float:
        """Return the `time.monotonic()` at which the stack came to its last status."""
        return self.clock.real(self.stack(stack).history[-1].at)

    def put_stack(
        self,
        name: str,
        status: str = "CREATE_COMPLETE",
        template: Json | None = None,
        *,
        parameters: dict[str, str] | None = None,
        tags: dict[str, str] | None = None,
        failed: Mapping[str, str] | None = None,
        lasts: float = 10.0,
    ) -> Stack:
        """Let a stack stand in any state, with the history that leads there.

        `failed` are the resources that a failed state is about, with their reasons. An operation that is in
        progress ends by itself after `lasts` virtual seconds, the usual way.
        """
        with self._desk.lock:
            self.engine.advance()
            stack = self.engine.new_stack(name)
            stack.now.tags, stack.now.parameters = dict(tags or {}), dict(parameters or {})
            initial.place(self.engine, stack, status, template or {"Resources": {}}, failed or {}, lasts)
            return stack


def pointing_at(url: str, region: str) -> dict[str, str]:
    """Return the variables that point boto3 in another process at a fake, and at nothing else."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "AKIAFAKE",
        "AWS_SECRET_ACCESS_KEY": "fake",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
