"""The settings themselves."""

from typing import Any

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


@pytest.mark.parametrize(
    ("written", "meant"),
    [("203.0.113.7", "203.0.113.7/32"), ("2001:DB8::/32", "2001:db8::/32"), ("198.51.100.0/24", "198.51.100.0/24")],
)
def test_a_network_is_kept_as_aws_writes_it(written: str, meant: str) -> None:
    assert Environment(name="dev", allowed_ips=[written]).allowed_ips == [meant]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"allowed_ips": ["203.0.113.7/24"]}, "host bits set"),
        ({"allowed_ips": ["office"]}, "write a network such as 203.0.113.0/24"),
        ({"allowed_ips": ["0.0.0.0/0"]}, "every address"),
        ({"allowed_ips": ["::/0"]}, "every address"),
        ({"allowed_ips": [f"203.0.113.{number}" for number in range(101)]}, "at most 100"),
        ({"allowed_principals": ["*"]}, "ARNs of a role or a user"),
        ({"allowed_principals": ["arn:aws:iam::111122223333:role/*"]}, "ARNs of a role or a user"),
        ({"allowed_principals": ["111122223333"] * 21}, "at most 20"),
        ({"allowed_principals": ["111122223333"], "authorization": "none"}, "nobody signs"),
        ({"backup_retention_days": 0}, "greater than or equal to 1"),
    ],
)
def test_who_may_call_is_said_so_that_aws_takes_it(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Environment(name="dev", **settings)
