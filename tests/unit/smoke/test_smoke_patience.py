"""Waiting for what may heal, and finding out once."""

import threading
import time

import pytest

from paycli.smoke.patience import Once, Patience
from paycli.smoke.result import CheckFailed, Interrupted, NotYet


def test_what_heals_in_time_is_returned() -> None:
    answers = iter([NotYet("a", "b"), NotYet("a", "b"), "healed"])

    def attempt() -> str:
        answer = next(answers)
        if isinstance(answer, NotYet):
            raise answer
        assert isinstance(answer, str)
        return answer

    assert Patience(30).until(attempt) == "healed"


@pytest.mark.parametrize(("seconds", "within"), [(0.01, None), (30, 0.01), (0.01, 30)])
def test_the_nearer_deadline_counts_and_the_last_word_is_kept(seconds: float, within: float | None) -> None:
    def attempt() -> None:
        raise NotYet("an open door", "a closed one", "Knock.")

    started = time.monotonic()
    with pytest.raises(CheckFailed) as failed:
        Patience(seconds).until(attempt, within=within)
    assert time.monotonic() - started < 5
    assert type(failed.value) is CheckFailed
    assert (failed.value.expected, failed.value.found) == ("an open door", "a closed one")
    assert failed.value.detail == "Knock. Still so after 0 s."
    assert str(failed.value) == "expected an open door; found a closed one"


def test_what_cannot_heal_is_not_tried_again() -> None:
    tries = []

    def attempt() -> None:
        tries.append(1)
        raise CheckFailed("a", "b")

    with pytest.raises(CheckFailed):
        Patience(30).until(attempt)
    assert len(tries) == 1


def test_stopping_ends_a_wait_at_once() -> None:
    patience = Patience(30)

    def attempt() -> None:
        patience.stop.set()
        raise NotYet("a", "b")

    started = time.monotonic()
    with pytest.raises(Interrupted):
        patience.until(attempt)
    assert time.monotonic() - started < 5


def test_many_ask_and_one_finds_out() -> None:
    found: list[str] = []
    together = threading.Barrier(4)

    def find_out() -> str:
        time.sleep(0.01)
        found.append("x")
        return "answer"

    once = Once(find_out)
    answers = []

    def ask() -> None:
        together.wait()
        answers.append(once())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers, found) == (["answer"] * 4, ["x"])


def test_a_failure_is_found_out_once_too_and_anything_else_again() -> None:
    outcomes = iter([Interrupted(), CheckFailed("a", "b", "c"), AssertionError("a third time")])

    def find_out() -> str:
        raise next(outcomes)

    once = Once(find_out)
    with pytest.raises(Interrupted):
        once()
    for _ in range(2):
        with pytest.raises(CheckFailed) as failed:
            once()
        assert (failed.value.expected, failed.value.found, failed.value.detail) == ("a", "b", "c")
