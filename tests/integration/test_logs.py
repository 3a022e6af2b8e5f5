"""`paycli logs` on the embedded AWS: what real functions have written."""

import json
import signal
import time

from tests.integration.conftest import LocalProject

PAYMENT = '{"amount": "10.00", "currency": "USD", "customer_id": "customer-1"}'


def validated(project: LocalProject) -> str:
    ran = project.run("call", "POST", "/validate", "--env", "local", "--data", PAYMENT)
    assert ran.status == 0, ran.err
    return str(json.loads(ran.out)["transaction_id"])


def test_the_story_of_a_payment_across_its_functions(shared: LocalProject) -> None:
    transaction, other = validated(shared), validated(shared)
    body = json.dumps({"transaction_id": transaction})
    assert shared.run("call", "POST", "/process", "--env", "local", "--data", body).status == 0
    ran = shared.run("logs", "--env", "local", "--transaction", transaction)
    assert ran.status == 0, ran.err
    assert ran.err == "The embedded AWS writes no access log.\n"
    lines = [line.split(maxsplit=2) for line in ran.out.splitlines()]
    assert [source for _, source, _ in lines] == ["validation"] * 4 + ["processing"] * 4
    assert [said.split()[0] for _, _, said in lines[:4]] == ["START", "operation=validate", "END", "REPORT"]
    assert other not in ran.out

    (own,) = {word[11:] for word in lines[5][2].split() if word.startswith("request_id=")}
    found = shared.run("logs", "--env", "local", "--request-id", own, "--json").document["data"]["events"]
    assert len(found) == 4
    assert found[1]["message"]["transaction_id"] == transaction


def test_following_shows_each_line_once(shared: LocalProject) -> None:
    following = shared.begin(
        "logs", "--env", "local", "--follow", "--function", "validation", "--since", "1s", "--json"
    )
    try:
        time.sleep(1)
        transactions = [validated(shared) for _ in range(2)]
        time.sleep(5)
        following.send_signal(signal.SIGINT)
        out, err = following.communicate(timeout=30)
    finally:
        following.kill()
    assert (following.returncode, err) == (130, "")
    messages = [json.loads(line)["message"] for line in out.splitlines()]
    own = [each["transaction_id"] for each in messages if isinstance(each, dict)]
    assert [each for each in own if each in transactions] == transactions
    assert len({json.dumps(each) for each in messages}) == len(messages)


def test_an_environment_without_logs_says_so(shared: LocalProject) -> None:
    ran = shared.run("logs", "--env", "kept")
    assert ran.status == 1
    assert "Error: There is no log group " in ran.err
