"""What the fake answers when it refuses, and what it raises when a test asks for more than it has."""


class ApiError(Exception):
    """An error that AWS would answer."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class FakeProblem(AssertionError):  # noqa: N818 - it is a failed test, not an error of AWS
    """The test or the fake is wrong: an illegal transition, or something the specification leaves out."""


def invalid(message: str) -> ApiError:
    """Return the error that CloudFormation uses for nearly everything it refuses."""
    return ApiError("ValidationError", message)


def no_stack(name: str) -> ApiError:
    """Return what every operation but DescribeStacks says of a stack that isn't there."""
    return invalid(f"Stack [{name}] does not exist")
