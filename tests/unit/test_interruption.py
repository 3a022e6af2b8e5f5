"""Signals where an exception in the middle would cost something."""

import signal
import threading

import pytest

from paycli.interruption import held


def test_the_first_signal_waits_until_the_block_is_done() -> None:
    done: list[str] = []
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), held():
        signal.raise_signal(signal.SIGINT)
        done.append("the rest")
    assert done == ["the rest"]
    assert signal.getsignal(signal.SIGINT) is before


def test_the_signal_counts_also_where_the_block_fails() -> None:
    with pytest.raises(KeyboardInterrupt), held():
        signal.raise_signal(signal.SIGINT)
        raise ValueError


def test_a_second_signal_ends_the_block() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), held():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        done.append("the rest")
    assert done == []


def test_without_a_signal_and_in_another_thread_it_changes_nothing() -> None:
    done: list[str] = []

    def work() -> None:
        with held():
            done.append("there")

    with held():
        done.append("here")
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["here", "there"]
