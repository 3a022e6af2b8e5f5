"""The embedded AWS: one a project, found from anywhere in it, on this machine only, and it keeps what it has."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from paycli import emulator
from paycli.errors import ConfigurationError, PaycliError
from tests.integration.conftest import LocalProject, parent_of


def test_it_has_everything_again_after_a_stop(fresh: LocalProject) -> None:
    first = fresh.run("local", "start")
    assert first.status == 0
    running = emulator.find(fresh.root)
    assert running is not None
    assert running.url in first.out
    fresh.aws().client("sqs").create_queue(QueueName="kept")
    assert "state is saved" in fresh.run("local", "stop").out
    assert "isn't running" in fresh.run("local", "stop").out
    assert "isn't running" in fresh.run("local", "status").out
    again = emulator.start(fresh.root)
    assert again.port == running.port
    assert again.pid != running.pid
    assert fresh.aws().client("sqs").list_queues()["QueueUrls"][0].endswith("/kept")


def test_it_is_found_from_any_folder_and_points_tools_at_itself(fresh: LocalProject) -> None:
    deep = fresh.root / "a" / "b"
    deep.mkdir(parents=True)
    stopped = fresh.run("local", "env")
    assert stopped.status == 1
    assert "paycli local start" in stopped.err
    running = emulator.start(fresh.root)
    status = fresh.run("local", "status", "--json", folder=deep).document["data"]
    assert (status["url"], status["process"]) == (running.url, running.pid)
    assert status["not_proven"]
    assert f"export AWS_ENDPOINT_URL={running.url}\n" in fresh.run("local", "env", folder=deep).out


def test_its_state_is_for_its_user_alone(fresh: LocalProject) -> None:
    emulator.start(fresh.root)
    for folder in (fresh.root / ".paycli", emulator.home(fresh.root)):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((emulator.home(fresh.root) / "emulator.json").stat().st_mode) == 0o600


def test_it_listens_on_this_machine_only(fresh: LocalProject) -> None:
    running = emulator.start(fresh.root)
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    addresses = {line[1] for line in listening if line[1].endswith(f":{running.port:04X}") and line[3] == "0A"}
    assert addresses == {f"0100007F:{running.port:04X}"}


def test_nothing_of_the_caller_reaches_it(fresh: LocalProject) -> None:
    assert fresh.run("local", "start", AWS_PROFILE="secret", MY_SECRET="x").status == 0
    running = emulator.find(fresh.root)
    assert running is not None
    variables = Path(f"/proc/{running.pid}/environ").read_text()
    assert "secret" not in variables
    assert "MY_SECRET" not in variables


def test_many_starts_at_once_make_one(fresh: LocalProject) -> None:
    with ThreadPoolExecutor(6) as pool:
        started = list(pool.map(lambda _: emulator.start(fresh.root), range(6)))
    assert len(set(started)) == 1


def test_one_that_was_killed_is_started_again(fresh: LocalProject) -> None:
    killed = emulator.start(fresh.root)
    os.kill(killed.pid, signal.SIGKILL)
    os.waitpid(killed.pid, 0)
    assert emulator.find(fresh.root) is None
    assert emulator.start(fresh.root).pid != killed.pid


def killed(project: LocalProject) -> None:
    """Let the embedded AWS run, and be killed."""
    running = emulator.start(project.root)
    os.kill(running.pid, signal.SIGKILL)
    os.waitpid(running.pid, 0)


def test_what_a_kill_has_lost_is_said_once_by_the_command_that_starts_it_again(fresh: LocalProject) -> None:
    killed(fresh)
    stopped = fresh.run("local", "status")
    assert "It isn't running.\n" in stopped.out
    lost = re.search(r"killed, or couldn't save its state: what came after (\S+) (\S+) UTC is lost\.\n", stopped.out)
    assert lost
    again = fresh.run("status", "--env", "local")
    assert lost[0] in again.err
    assert "is lost" not in fresh.run("status", "--env", "local").err
    running = fresh.run("local", "status").out
    assert "is lost" not in running
    assert "UTC is saved when it is stopped; `kill -9` loses it.\n" in running
    assert fresh.run("local", "stop").status == 0
    started = fresh.run("local", "start", "--json")
    assert started.document["data"]["lost_since"] is None


def test_a_start_says_what_a_kill_has_lost(fresh: LocalProject) -> None:
    killed(fresh)
    since = fresh.run("local", "status", "--json").document["data"]["unsaved_since"]
    started = fresh.run("local", "start")
    assert f"what came after {since[:10]} {since[11:19]} UTC is lost.\n" in started.out


def test_a_start_that_fails_loses_nothing_and_hides_no_loss(
    fresh: LocalProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsaved() -> str | None:
        since: str | None = fresh.run("local", "status", "--json").document["data"]["unsaved_since"]
        return since

    def start_in_vain() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(sys, "executable", "/bin/false")
            with pytest.raises(PaycliError, match="did not start"):
                emulator.start(fresh.root)

    emulator.start(fresh.root)
    emulator.stop(fresh.root)
    start_in_vain()
    assert unsaved() is None
    killed(fresh)
    before = unsaved()
    assert before
    start_in_vain()
    assert unsaved() == before


def test_a_state_that_is_not_saved_is_said(fresh: LocalProject) -> None:
    emulator.start(fresh.root)
    fresh.aws().client("sqs").create_queue(QueueName="lost")
    state = emulator.home(fresh.root) / "state"
    (state / "sqs.json.tmp").mkdir()  # in the way of what it writes first
    stopped = fresh.run("local", "stop")
    assert stopped.status == 1
    assert "its state isn't saved: what came after" in stopped.err
    assert str(emulator.home(fresh.root) / "log") in stopped.err
    assert "failed to save sqs" in (emulator.home(fresh.root) / "log").read_text()
    (state / "sqs.json.tmp").rmdir()
    assert "UTC is lost." in fresh.run("local", "start").out


def test_it_is_not_stopped_where_a_full_disk_may_not_take_its_state(
    fresh: LocalProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = emulator.start(fresh.root)
    fresh.aws().client("sqs").create_queue(QueueName="kept")
    usage = shutil.disk_usage(fresh.root)
    with monkeypatch.context() as full:
        full.setattr("shutil.disk_usage", lambda _path: usage._replace(free=100 * 1024))
        refused = fresh.within("local", "stop")
    assert refused.status == 1
    assert "isn't stopped" in refused.err
    assert "100 KB free" in refused.err
    assert f"kill -9 {running.pid}" in refused.err
    assert emulator.find(fresh.root) == running
    assert "state is saved" in fresh.run("local", "stop").out
    assert fresh.aws().client("sqs").list_queues()["QueueUrls"][0].endswith("/kept")


def test_nothing_is_started_on_a_damaged_state(fresh: LocalProject) -> None:
    emulator.start(fresh.root)
    fresh.aws().client("sqs").create_queue(QueueName="kept")
    emulator.stop(fresh.root)
    damaged = emulator.home(fresh.root) / "state" / "sqs.json"
    whole = damaged.read_text()
    damaged.write_text(whole[:-9])
    for command in (("local", "start"), ("status", "--env", "local")):
        refused = fresh.run(*command)
        assert refused.status == 1
        assert f"{damaged} can't be read" in refused.err
        assert f"Restore that file, or remove {emulator.home(fresh.root)}" in refused.err
    assert emulator.find(fresh.root) is None
    damaged.write_text(whole)
    assert fresh.aws().client("sqs").list_queues()["QueueUrls"][0].endswith("/kept")


def test_a_port_that_is_taken_is_not_insisted_on(fresh: LocalProject) -> None:
    import socket

    first = emulator.start(fresh.root)
    emulator.stop(fresh.root)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", first.port))
        taken.listen()
        assert emulator.start(fresh.root).port != first.port


def test_one_that_lives_but_does_not_answer_is_said(fresh: LocalProject, monkeypatch: pytest.MonkeyPatch) -> None:
    running = emulator.start(fresh.root)
    os.kill(running.pid, signal.SIGSTOP)
    monkeypatch.setattr(emulator, "_START_SECONDS", 0.2)
    monkeypatch.setattr(emulator, "_ANSWER_SECONDS", 0.1)
    try:
        for look in (emulator.find, emulator.start):
            with pytest.raises(PaycliError, match="doesn't answer"):
                look(fresh.root)
    finally:
        os.kill(running.pid, signal.SIGCONT)
    monkeypatch.undo()


def test_one_that_does_not_stop_is_said(fresh: LocalProject, monkeypatch: pytest.MonkeyPatch) -> None:
    running = emulator.start(fresh.root)
    os.kill(running.pid, signal.SIGSTOP)
    monkeypatch.setattr(emulator, "_STOP_SECONDS", 0.2)
    try:
        with pytest.raises(PaycliError, match=f"process {running.pid}"):
            emulator.stop(fresh.root)
        (emulator.home(fresh.root) / "emulator.json").unlink()
        with pytest.raises(PaycliError, match="isn't known yet"):
            emulator.stop(fresh.root)
    finally:
        os.kill(running.pid, signal.SIGCONT)
    monkeypatch.undo()


def test_one_whose_starter_was_killed_is_found_and_stopped(fresh: LocalProject) -> None:
    for moment in (0.1, 0.2, 0.3, 0.4):
        starter = fresh.begin("local", "start")
        time.sleep(moment)
        starter.kill()
        starter.communicate()
        assert fresh.run("local", "start").status == 0
        assert fresh.run("local", "stop").status == 0
        assert emulator.find(fresh.root) is None


def test_one_whose_starter_was_killed_right_after_the_fork_is_found_and_stopped(fresh: LocalProject) -> None:
    killed = f"""
import os, signal
from pathlib import Path
from paycli import emulator
emulator.Emulator = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # the first that is done with the new process
emulator.start(Path({str(fresh.root)!r}))
"""
    assert subprocess.run([sys.executable, "-c", killed], check=False).returncode == -signal.SIGKILL
    assert fresh.run("local", "start").status == 0
    assert fresh.run("local", "stop").status == 0


def test_one_that_does_not_start_says_where_to_look(fresh: LocalProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(PaycliError, match="did not start") as caught:
        emulator.start(fresh.root)
    assert str(emulator.home(fresh.root) / "log") in caught.value.hint


def test_a_broken_record_is_no_emulator(fresh: LocalProject) -> None:
    emulator.start(fresh.root)
    emulator.stop(fresh.root)
    (emulator.home(fresh.root) / "emulator.json").write_text("{")
    (emulator.home(fresh.root) / "port").write_text("x")
    assert emulator.start(fresh.root).port


def test_without_the_extra_there_is_one_command_to_run(fresh: LocalProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError) as caught:
        emulator.start(fresh.root)
    assert caught.value.hint == "pip install 'paycli[local]'"


def test_a_command_says_so_when_it_dies_meanwhile(fresh: LocalProject) -> None:
    from paycli.aws_errors import explain

    running = emulator.start(fresh.root)
    aws = fresh.aws()
    os.kill(running.pid, signal.SIGKILL)
    os.waitpid(running.pid, 0)
    with pytest.raises(Exception, match="Could not connect") as caught:
        aws.client("sqs").list_queues()
    said = explain(caught.value)
    assert said is not None
    assert "paycli local status" in said.hint


def test_stopping_ends_the_functions_too(fresh: LocalProject) -> None:
    assert fresh.run("deploy", "--env", "open").status == 0
    assert fresh.run("smoke-test", "--env", "open", "--only", "workflow").status == 0
    running = emulator.find(fresh.root)
    assert running is not None
    functions = [entry.name for entry in Path("/proc").iterdir() if parent_of(entry.name) == str(running.pid)]
    assert functions
    emulator.stop(fresh.root)
    deadline = time.monotonic() + 10
    while any(parent_of(name) for name in functions) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [name for name in functions if parent_of(name)] == []


def test_a_teardown_stops_none_on_which_another_paycli_works(fresh: LocalProject) -> None:
    assert fresh.run("deploy", "--env", "local").status == 0
    following = fresh.begin("logs", "--env", "local", "--follow")
    assert following.stderr is not None
    following.stderr.readline()  # it is connected
    ran = fresh.run("teardown", "--env", "local", "--yes")
    assert ran.status == 0, ran.err
    assert "The embedded AWS goes on, since another paycli works on it." in ran.out
    assert emulator.find(fresh.root) is not None
    following.terminate()
    following.communicate()
    assert fresh.run("deploy", "--env", "local").status == 0
    assert "The embedded AWS is stopped" in fresh.run("teardown", "--env", "local", "--yes").out


def test_who_comes_while_one_is_being_stopped_starts_it_anew(fresh: LocalProject) -> None:
    emulator.start(fresh.root)
    alone = emulator.keep_others_off(fresh.root)
    assert alone is not None
    coming = fresh.begin("deploy", "--env", "local")
    time.sleep(1.5)
    assert coming.poll() is None  # it waits
    emulator.stop(fresh.root)
    os.close(alone)
    out, err = coming.communicate(timeout=60)
    assert coming.returncode == 0, err
    assert "Started the embedded AWS" in err
    assert "changes deployed" in out
