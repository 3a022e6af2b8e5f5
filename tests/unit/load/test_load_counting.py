"""What is made of the samples: percentiles, counts, the roster of workers, the verdict and the page."""

import itertools
import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paycli.console import plain
from paycli.display import measuring, seldom
from paycli.operations.load import html
from paycli.operations.load.drive import Ending, progress
from paycli.operations.load.latency import Latencies
from paycli.operations.load.ledger import Ledger
from paycli.operations.load.measurements import Measurements
from paycli.operations.load.plan import MIX, Plan
from paycli.operations.load.recorded import Records
from paycli.operations.load.roster import SILENCE, Roster
from paycli.operations.load.run import Findings
from paycli.operations.load.sample import Sample
from paycli.operations.load.verdict import document, problems
from paycli.operations.reconciliation import Discrepancy, Exchange
from paycli.progress import Gauge, Step
from paycli.views import load as load_view

SECONDS = st.floats(0, 100, allow_nan=False)


@given(st.lists(SECONDS, min_size=1, max_size=200), st.sampled_from([0.1, 1, 50, 90, 99, 99.9, 100]))
def test_a_percentile_is_never_too_low_and_hardly_too_high(values: list[float], percent: float) -> None:
    latencies = Latencies()
    for value in values:
        latencies.add(value)
    exact = sorted(values)[math.ceil(len(values) * percent / 100) - 1]
    assert exact * (1 - 1e-9) <= latencies.percentile(percent) <= max(exact * 1.0201, 1.0001e-4)
    assert latencies.percentile(100) == max(values)


def test_nothing_has_no_percentiles() -> None:
    assert Latencies().percentile(99) == 0.0


def sample(
    kind: str = "new", status: int | None = 200, due: float = 0.0, latency: float = 0.01, code: str = ""
) -> Sample:
    operation: Any = "process" if kind == "process" else "validate"
    return Sample(kind, due, latency, 0.001, code, Exchange(operation, "p", "c", status, "txn_p"))


def measured(*samples: Sample, duration: float = 10) -> Measurements:
    measurements = Measurements(duration)
    for each in samples:
        measurements.add(each)
    return measurements


def test_each_request_counts_once_under_its_outcome() -> None:
    found = measured(
        sample(),
        sample("process", due=9.5, latency=1.5),
        sample("invalid", 400),
        sample(status=429, due=3.2),
        sample(status=503, code="temporarily_unavailable", due=3.3),
        sample(status=None, due=3.4, latency=30),
    ).summary()
    assert (found["sent"], found["as_expected"], found["throttled"]) == (6, 3, 1)
    assert found["errors"] == {"503 temporarily_unavailable": 1, "no answer": 1}
    assert found["throughput"] == pytest.approx(3 / 33.4)
    assert found["latency"]["all"]["count"] == 5  # where no answer came there is no latency
    assert set(found["latency"]) == {"all", "new", "process", "invalid"}
    assert found["latency"]["process"]["max"] == 1.5


@given(st.floats(0.5, 100_000), st.lists(st.floats(0, 1), max_size=50))
def test_intervals_cover_the_run_and_are_bounded(duration: float, shares: list[float]) -> None:
    found = measured(*(sample(due=share * duration) for share in shares), duration=duration)
    assert len(found.intervals) <= 240
    assert len(found.intervals) * found.interval >= duration
    assert sum(each.sent for each in found.intervals) == len(shares)


def test_progress_says_how_it_fares() -> None:
    said = progress(3.2, 10, measured(sample(latency=0.02), sample(status=429), sample(status=500)))
    assert said.startswith("3 of 10 s: 3 answered, 1 as expected, 1 throttled, 1 errors; p50 10 ms, p99 20 ms")


def test_off_a_terminal_steps_are_written_and_of_the_gauges_one_in_ten_seconds() -> None:
    said: list[str] = []
    now = itertools.count()
    report = seldom(said.append, lambda: float(next(now)))
    report(Step("begins"))
    for number in range(30):
        report(Gauge(f"gauge {number}"))
    assert said[0] == "begins"
    assert 2 <= len(said) - 1 <= 3


def test_on_a_terminal_steps_stay_and_the_gauge_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with measuring() as report:
        report(Gauge("3 of 10 s"))
        report(Step("Reconciling"))
    shown = capsys.readouterr().err
    assert "Reconciling\n" in shown
    assert "\n3 of 10 s\n" not in shown


def roster(*workers: str) -> Roster:
    found = Roster(len(workers), "https://api/")
    assert all(found.admit(worker, "https://api/") for worker in workers)
    found.begin(0)
    return found


def test_a_worker_for_another_api_or_too_many_is_not_admitted() -> None:
    found = Roster(1, "https://api/")
    assert not found.admit("a", "https://other/")
    assert not found.complete
    assert found.admit("a", "https://api/")
    assert found.complete
    assert not found.admit("b", "https://api/")
    assert found.workers == ["a"]


def test_who_has_reported_all_has_lost_nothing() -> None:
    found = roster("a", "b")
    for number, worker in itertools.product((1, 2), "ab"):
        found.note(worker, number, 1, finished=number == 2)
    found.give_up(1000)
    assert (found.busy, found.lost) == (False, 0)


def test_a_report_that_never_came_is_lost_and_so_is_a_worker_that_is_silent() -> None:
    found = roster("a", "b")
    found.note("a", 3, 1, finished=True)
    assert found.lost == 2
    found.give_up(SILENCE)
    assert found.busy
    found.give_up(SILENCE + 1)
    assert (found.busy, found.lost) == (False, 3)


def test_the_ledger_gives_back_what_was_written_and_is_the_owners_alone(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "0123abcd")
    samples = [sample(), sample("process", None), sample("invalid", 400)]
    assert ledger.add(each.row() for each in samples) == samples
    ledger.close()
    assert list(ledger.exchanges()) == [each.exchange for each in samples]
    assert ledger.path.stat().st_mode & 0o077 == 0
    ledger.forget()
    assert not Ledger.of(tmp_path, "0123abcd").exists()


PLAN = Plan("0123abcd", rate=20.0, duration=10.0, mix=MIX, seed=7, in_flight=8)


def findings(*samples: Sample, **changes: Any) -> Findings:
    facts: dict[str, Any] = {
        "plan": PLAN,
        "measurements": measured(*samples),
        "ending": Ending(interrupted=False, lost=0),
        "payments": 1,
        "records": Records(0, 0, []),
        "discrepancies": [],
        "reconciled_in": 0.5,
        "untidy": [],
        "ledger": None,
        "faults": None,
    }
    return Findings(**{**facts, **changes})


def codes(found: Findings, max_errors: float = 1.0) -> list[str]:
    return [problem.code for problem in problems(found, max_errors)]


def test_what_is_wrong_is_said() -> None:
    assert codes(findings(sample(), sample(status=429))) == []
    assert codes(findings(sample(), sample(status=500))) == ["too_many_errors"]
    assert codes(findings(sample(), sample(status=500)), 50) == []
    assert codes(findings()) == ["nothing_sent"]
    assert codes(findings(ending=Ending(interrupted=True, lost=0))) == []
    assert codes(findings(sample(), ending=Ending(interrupted=True, lost=2))) == ["reports_lost"]
    assert codes(findings(sample(), untidy=["it stays"])) == ["cleanup_failed"]


def test_discrepancies_are_named_by_kind_and_not_all_of_them() -> None:
    lost = [Discrepancy("acknowledged_but_missing", f"txn_{number}") for number in range(7)]
    first, second = problems(findings(sample(), discrepancies=[*lost, Discrepancy("two_effects", "txn_9")]), 1)
    assert first.message == "7 x acknowledged_but_missing: txn_0, txn_1, txn_2, txn_3, txn_4 and 2 more"
    assert (second.code, second.message) == ("two_effects", "1 x two_effects: txn_9")


def test_a_queue_that_may_not_be_received_from_is_judged_by_its_count() -> None:
    assert Records(5, 2, None, grown=3, kept="retain_data is on").discrepancies() == []
    (found,) = Records(5, 1, None, grown=3).discrepancies()
    assert found.kind == "fewer_recorded_than_failed"
    assert Records(5, 0, []).discrepancies() == []  # the messages themselves are compared


TROUBLE = findings(
    sample(),
    sample("replay", status=503, code="<script>", due=4, latency=0.3),
    sample(due=9),
    discrepancies=[Discrepancy("two_effects", "txn_<9>")],
    records=Records(2, 1, None, grown=1, kept="retain_data is on"),
    ledger=Path("ledger.jsonl"),
    faults=(2.5, 7.5),
)
TROUBLE.measurements.dropped = 3


def test_the_screen_says_it_all() -> None:
    text = plain(load_view.load(document(TROUBLE), "payment-api-test"))
    for words in (
        "Load test 0123abcd on payment-api-test",
        "3 sent: 2 as expected, 0 throttled (429), 1 errors",
        "1 x 503 <script>",
        "3 arrivals that would have been more than 30 s late",
        "1 discrepancies: 1 payments in the table",
        "2 expected, 1 recorded, 1 counted as lost",
        "only counted: retain_data is on",
        "discard --of-tests",
        "ledger.jsonl",
    ):
        assert words in text
    calm = plain(load_view.load(document(findings(sample())), "payment-api-test"))
    assert "clean: 1 payments" in calm
    assert "Not sent" not in calm


def page_of(found: Findings) -> str:
    return html.page(found, document(found), "payment-api-test", tuple(problems(found, 1)))


def test_the_page_stands_alone_and_its_plots_are_drawings() -> None:
    page = page_of(TROUBLE)
    assert not re.search(r"https?:|src=|href=|<script", page)
    assert "txn_&lt;9&gt;" in page
    assert "Not clean" in page
    plots = [ET.fromstring(svg) for svg in re.findall("<svg.*?</svg>", page, re.DOTALL)]
    assert len(plots) == 2
    for plot in plots:
        curves = [path.get("d", "") for path in plot.findall("path") if path.get("stroke") != "currentColor"]
        assert curves
        assert plot.find("rect") is not None  # the time of the faults
        for x, y in re.findall(r"([\d.]+) ([\d.]+)", " ".join(curves)):
            assert 0 <= float(x) <= 860
            assert 0 <= float(y) <= 220
    latency = plots[1].findall("path")[3].get("d", "")
    assert latency.count("M") == 3  # no answers between: the curve is broken there


def test_the_page_of_an_empty_run_has_no_curves_of_latency() -> None:
    page = page_of(findings())
    assert "Clean" in page
    assert "<rect" not in page
