"""A fake CloudFormation over HTTP. What it does and whence that is known stands in SPEC.md."""

from tests.fakes.cloudformation.errors import FakeProblem
from tests.fakes.cloudformation.fake import FakeAws
from tests.fakes.cloudformation.scenario import Problem

__all__ = ["FakeAws", "FakeProblem", "Problem"]
