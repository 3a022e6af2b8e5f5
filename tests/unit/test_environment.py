"""The settings themselves."""

import pytest
from pydantic import ValidationError

from paycli.environment import Environment


def test_the_name_is_the_suffix_of_everything() -> None:
    environment = Environment(name="pr-1", tags={"Team": "payments"})
    assert environment.stack_name == "payment-api-pr-1"
    assert environment.named("transactions") == "transactions-pr-1"
    assert environment.all_tags == {
        "Team": "payments",
        "Project": "payment-api",
        "Environment": "pr-1",
        "ManagedBy": "paycli",
    }


@pytest.mark.parametrize(
    "tags",
    [
        {"Environment": "x"},
        {"aws:x": "y"},
        {"AWS:x": "y"},
        {"k" * 129: "v"},
        {"": "v"},
        {"k": "v" * 257},
        {"k": "v\x1b[31m"},
        {"k": "${AWS::AccountId}"},
    ],
)
def test_tags_that_aws_refuses_are_refused_here(tags: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Environment(name="dev", tags=tags)
