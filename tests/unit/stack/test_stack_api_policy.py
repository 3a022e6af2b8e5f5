"""The API's resource policy: from where it may be called, and by whom."""

import ipaddress
import json
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paycli.environment import Environment
from paycli.stack.api_policy import resource_policy

OFFICE = "203.0.113.0/24"
PARTNER = "111122223333"
ROLE = "arn:aws:iam::444455556666:role/payers/checkout"


def statements(built: Any) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in built["RestApi"]["Policy"]["Statement"]}


@pytest.mark.parametrize("name", ["dev", "prod", "local"])
def test_without_a_setting_there_is_no_policy(name: str, stack: Any) -> None:
    assert "Policy" not in stack(name)["RestApi"]


def test_signed_callers_from_elsewhere_are_denied_and_nobody_is_let_in_without_an_iam_policy(stack: Any) -> None:
    (denied,) = statements(stack(allowed_ips=[OFFICE])).values()
    assert (denied["Effect"], denied["Principal"]) == ("Deny", "*")
    assert denied["Action"] == ["execute-api:Invoke"]
    assert denied["Resource"] == "execute-api:/*"
    assert denied["Condition"] == {"NotIpAddress": {"aws:SourceIp": [OFFICE]}}


def test_without_authorization_only_the_policy_can_let_somebody_in(stack: Any) -> None:
    (allowed,) = statements(stack(authorization="none", allowed_ips=[OFFICE])).values()
    assert (allowed["Effect"], allowed["Principal"]) == ("Allow", "*")
    assert allowed["Condition"] == {"IpAddress": {"aws:SourceIp": [OFFICE]}}


def test_callers_of_other_accounts_are_let_in_by_name(stack: Any) -> None:
    found = statements(stack(allowed_principals=[PARTNER, ROLE], allowed_ips=[OFFICE]))
    callers = found["CallersOfOtherAccounts"]
    assert callers["Effect"] == "Allow"
    assert callers["Principal"] == {"AWS": [{"Fn::Sub": f"arn:${{AWS::Partition}}:iam::{PARTNER}:root"}, ROLE]}
    assert found["NobodyFromElsewhere"]["Effect"] == "Deny"


def test_a_change_of_the_policy_is_deployed(stack: Any) -> None:
    (without,) = stack().of_type("AWS::ApiGateway::Deployment")
    (one,) = stack(allowed_ips=[OFFICE]).of_type("AWS::ApiGateway::Deployment")
    (other,) = stack(allowed_ips=["198.51.100.0/24"]).of_type("AWS::ApiGateway::Deployment")
    assert len({without, one, other}) == 3


networks = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).flatmap(
    lambda address: st.integers(1, address.max_prefixlen).map(
        lambda prefix: ipaddress.ip_network(f"{address}/{prefix}", strict=False)
    )
)


@given(st.lists(networks, min_size=1, max_size=100, unique=True), st.sampled_from(["iam", "none"]))
@settings(max_examples=40, deadline=None)
def test_exactly_the_networks_of_the_setting_are_let_in_and_api_gateway_takes_the_policy(
    allowed: list[Any], authorization: Literal["iam", "none"]
) -> None:
    environment = Environment(name="x", authorization=authorization, allowed_ips=[str(network) for network in allowed])
    policy = resource_policy(environment)
    assert policy is not None
    (condition,) = policy["Statement"][0]["Condition"].values()
    assert [ipaddress.ip_network(text) for text in condition["aws:SourceIp"]] == allowed
    assert len(json.dumps(policy, separators=(",", ":"))) <= 8192
