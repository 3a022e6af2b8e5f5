"""The settings of the hardened stack, as far as the embedded AWS hosts them."""

import json
import urllib.error
import urllib.request

from tests.integration.conftest import LocalProject

HARDENED = """
[env.local]
waf = true
backup = true
allowed_ips = ["127.0.0.1"]

[env.local-shut]
extends = "local"
authorization = "none"
allowed_ips = ["203.0.113.0/24"]
"""


def test_a_hardened_stack_deploys_answers_and_goes(fresh: LocalProject) -> None:
    (fresh.root / "paycli.toml").write_text(HARDENED)
    deployed = fresh.run("deploy", "--env", "local", "--smoke-test")
    assert deployed.status == 0, deployed.err + deployed.out
    assert "FAIL" not in deployed.out
    status = fresh.run("local", "status", "--json").document["data"]["not_proven"]
    assert any("waf and backup are left out" in omission for omission in status)
    gone = fresh.run("teardown", "--env", "local")
    assert gone.status == 0, gone.err


def test_who_calls_from_a_network_that_is_not_allowed_gets_a_problem(fresh: LocalProject) -> None:
    (fresh.root / "paycli.toml").write_text(HARDENED)
    assert fresh.run("deploy", "--env", "local-shut").status == 0
    endpoint = fresh.outputs()["APIEndpoint"]
    assert refusal(f"{endpoint}health") == (403, "access_denied")
    (fresh.root / "paycli.toml").write_text(HARDENED.replace("203.0.113.0/24", "127.0.0.0/8"))
    assert fresh.run("deploy", "--env", "local-shut").status == 0
    with urllib.request.urlopen(f"{endpoint}health", timeout=20) as answer:
        assert answer.status == 200


def refusal(url: str) -> tuple[int, str]:
    try:
        urllib.request.urlopen(url, timeout=20)
    except urllib.error.HTTPError as error:
        assert error.headers["Content-Type"] == "application/problem+json"
        return error.code, json.loads(error.read())["code"]
    raise AssertionError("it answered")
