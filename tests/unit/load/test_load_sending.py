"""What a worker sends, when, and what it makes of the answers."""

import itertools
import json
import math
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st

from handlers.payments import contract
from paycli.api_client import Answer
from paycli.errors import PaycliError, UsageError
from paycli.operations.load import traffic as choosing
from paycli.operations.load.generator import Generator
from paycli.operations.load.plan import MIX, Plan, check_run, parse_mix
from paycli.operations.load.sample import GOOD, THROTTLED, Sample, from_row
from paycli.operations.load.schedule import arrivals
from paycli.operations.load.traffic import Request, Traffic
from paycli.operations.reconciliation import Exchange

PLAN = Plan("0123abcd", rate=200.0, duration=1.0, mix=MIX, seed=7, in_flight=8)
RATES = st.floats(0.5, 500)


@given(RATES, st.floats(0.5, 20), st.integers())
def test_arrivals_are_in_order_and_within_the_duration(rate: float, duration: float, seed: int) -> None:
    times = list(itertools.islice(arrivals(rate, duration, 0, Random(seed)), 5000))
    assert times == sorted(times)
    assert all(0 <= at < duration for at in times)


@given(st.integers(), st.integers(1, 8))
def test_the_shares_of_all_workers_add_up_to_the_rate(seed: int, workers: int) -> None:
    plan = Plan("0123abcd", 400.0, 10.0, MIX, seed, 100)
    shares = [plan.share(number, workers) for number in range(workers)]
    counts = [len(list(arrivals(share.rate, share.duration, 0, share.random()))) for share in shares]
    assert abs(sum(counts) - 4000) < 6 * math.sqrt(4000)
    assert len({share.number for share in shares}) == workers
    assert 100 <= sum(share.in_flight for share in shares) < 100 + workers


def test_a_ramp_begins_with_few_and_ends_at_the_rate() -> None:
    times = list(arrivals(1000, 10, 5, Random(1)))
    seconds = [sum(int(at) == second for at in times) for second in range(10)]
    assert seconds[0] < 200
    assert 400 < seconds[2] < 600
    assert all(850 < count < 1150 for count in seconds[5:])


def sent_by(traffic: Traffic, count: int, status: int = 200) -> list[Request]:
    requests = []
    for number in range(count):
        request = traffic.next()
        traffic.learn(request, status, {"transaction_id": f"txn_{number}"})
        requests.append(request)
    return requests


def test_the_same_seed_sends_the_same_and_another_worker_something_else() -> None:
    first, again = sent_by(Traffic(PLAN), 200), sent_by(Traffic(PLAN), 200)
    assert first == again
    assert sent_by(Traffic(PLAN.share(1, 2)), 200) != first


def test_the_mix_is_kept() -> None:
    requests = sent_by(Traffic(PLAN), 4000)
    for kind, weight in MIX.items():
        assert abs(sum(request.kind == kind for request in requests) - 40 * weight) < 250


def test_each_payment_has_a_customer_of_its_own_and_keeps_the_contract() -> None:
    new = [request for request in sent_by(Traffic(PLAN), 2000) if request.kind == "new"]
    assert len({request.customer for request in new}) == len(new)
    assert all(request.customer.startswith("paycli-load-0123abcd-0-") for request in new)
    for request in new:
        payment = contract.payment(request.body)
        assert json.loads(request.body)["customer_id"] == request.headers["Idempotency-Key"]
        assert payment.amount_minor == request.minor


def test_a_repeat_is_the_same_to_the_byte() -> None:
    requests = sent_by(Traffic(PLAN), 1000)
    before: set[tuple[str, bytes]] = set()
    for request in requests:
        if request.kind == "replay":
            assert (request.operation, request.body) in before
        before.add((request.operation, request.body))


def test_only_what_was_taken_is_processed_and_each_once() -> None:
    requests = sent_by(Traffic(PLAN), 1000)
    processed = [request for request in requests if request.kind == "process"]
    ids = [json.loads(request.body)["transaction_id"] for request in processed]
    assert len(ids) == len(set(ids)) > 100
    assert all(requests[int(name.removeprefix("txn_"))].kind == "new" for name in ids)
    assert all(request.headers == {} for request in processed)
    assert not [request for request in sent_by(Traffic(PLAN), 1000, status=503) if request.kind == "process"]


def test_what_is_invalid_is_refused_by_the_contract() -> None:
    mix = parse_mix("new=1,invalid=99")
    for request in sent_by(Traffic(Plan("0123abcd", 1, 1, mix, 1, 1)), 300):
        if request.kind == "invalid":
            with pytest.raises(contract.RefusedError):
                contract.payment(request.body)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "_REMEMBERED", 10)
    traffic = Traffic(Plan("0123abcd", 1, 1, parse_mix("new=1,replay=1"), 1, 1))
    requests = sent_by(traffic, 2000)
    late = {request.body for request in requests[1900:] if request.kind == "replay"}
    assert late <= {request.body for request in requests if request.kind == "new"}
    assert len(late & {request.body for request in requests[:1000]}) < 10


@pytest.mark.parametrize("text", ["", "new", "new=", "new=-1", "new=1,old=2", "replay=5", "new=0"])
def test_a_mix_that_cant_be_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_mix(text)


def test_a_mix_is_weights() -> None:
    assert parse_mix("new=3, process=1") == {"new": 3, "replay": 0, "process": 1, "invalid": 0}


@pytest.mark.parametrize("run", ["", "0123ABCD", "0123abc", "0123abcd-", "../12345"])
def test_only_a_run_is_a_run(run: str) -> None:
    assert check_run("0123abcd") == "0123abcd"
    with pytest.raises(UsageError):
        check_run(run)


class Inline:
    """A pool that does each piece of work at once."""

    def spawn(self, work: Callable[..., None], *arguments: Any) -> None:
        work(*arguments)

    def join(self) -> None:
        pass


def sampled(send: Callable[[Request], Answer], plan: Plan = PLAN, **more: Any) -> list[Sample]:
    generator = Generator(plan, Inline(), send, more.get("wait", lambda _seconds: False))
    generator.run()
    return [from_row(row) for row in json.loads(json.dumps(generator.take()["rows"]))]


SNIFF = {"x-content-type-options": "nosniff"}


def accepting(request: Request) -> Answer:
    said = json.loads(request.body)
    if request.operation == "process":
        said |= {"status": "processed", "processed_at": "2026-01-01T00:00:00.000Z"}
        return Answer(200, SNIFF, json.dumps(said).encode())
    if request.kind == "invalid":
        return Answer(400, SNIFF, b'{"code": "invalid_request", "request_id": "r-1"}')
    said |= {"transaction_id": f"txn_{request.payment}", "amount_minor": request.minor, "created_at": "2026"}
    return Answer(200, SNIFF, json.dumps(said).encode())


def test_every_answer_becomes_a_sample_that_survives_the_wire() -> None:
    samples = sampled(accepting)
    assert len(samples) > 100
    assert {sample.outcome for sample in samples} == {GOOD}
    assert {sample.kind for sample in samples} == set(MIX)
    refused = next(sample.exchange for sample in samples if sample.kind == "invalid")
    assert (refused.status, refused.request_id, refused.by_gateway) == (400, "r-1", False)
    done = next(sample.exchange for sample in samples if sample.kind == "process")
    assert (done.transaction_id, done.processed_at) == (f"txn_{done.payment}", "2026-01-01T00:00:00.000Z")


def failing(error: Exception) -> Callable[[Request], Answer]:
    def send(_request: Request) -> Answer:
        raise error

    return send


def answering(status: int, body: bytes) -> Callable[[Request], Answer]:
    return lambda request: Answer(status, {}, body)


@pytest.mark.parametrize(
    ("send", "outcome"),
    [
        (failing(PaycliError("no answer", code="unreachable")), "no answer"),
        (failing(NoCredentialsError()), "NoCredentialsError"),
        (answering(429, b""), THROTTLED),
        (answering(503, b'{"code": "temporarily_unavailable"}'), "503 temporarily_unavailable"),
        (answering(502, b"[]"), "502"),
        (answering(403, b"<html>"), "403"),
        (answering(200, b'{"customer_id": "another", "amount_minor": 1}'), "200 answers another request"),
    ],
)
def test_what_is_not_as_expected_has_a_name(send: Callable[[Request], Answer], outcome: str) -> None:
    samples = sampled(send, Plan("0123abcd", 100.0, 1.0, parse_mix("new=1,replay=1"), 7, 8))
    assert {sample.outcome for sample in samples} == {outcome}
    assert all(sample.exchange.acknowledged == (outcome[:3] == "200") for sample in samples)


def test_an_invalid_payment_that_is_taken_is_an_error() -> None:
    exchange = Exchange("validate", "a", "a", 200, "txn_a")
    assert Sample("invalid", 0, 0, 0, "", exchange).outcome == "200"


def test_a_processing_that_answers_of_another_payment_is_an_error() -> None:
    def send(request: Request) -> Answer:
        answer = accepting(request)
        return answer if request.operation == "validate" else Answer(200, SNIFF, b'{"transaction_id": "txn_other"}')

    outcomes = {sample.outcome for sample in sampled(send) if sample.kind == "process"}
    assert outcomes == {"200 answers another request"}


def test_a_stopped_run_sends_nothing_more() -> None:
    assert sampled(accepting, wait=lambda _seconds: True) == []


def test_latency_counts_from_the_arrival_and_who_would_wait_too_long_is_not_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One at a time, each answer takes 1 s of a clock that stands still otherwise: arrivals queue up."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def send(request: Request) -> Answer:
        now[0] += 1
        return accepting(request)

    def wait(seconds: float) -> bool:
        now[0] += seconds
        return False

    generator = Generator(Plan("0123abcd", 2.0, 100.0, MIX, 7, 1), Inline(), send, wait)
    generator.run()
    taken = generator.take()
    samples = [from_row(row) for row in taken["rows"]]
    assert taken["dropped"] > 10
    assert generator.take() == {"rows": [], "dropped": 0}
    assert all(sample.latency == pytest.approx(sample.late + 1) for sample in samples)
    assert 25 < max(sample.late for sample in samples) <= 30
