"""What the embedded AWS and its functions get of the shell that started them: nothing; and who may read its state."""

import os
import stat
from pathlib import Path

from paycli import emulator
from tests.integration.conftest import LocalProject, parent_of

SECRETS = {
    "AWS_ACCESS_KEY_ID": "ASIADISTINCTIVE00001",
    "AWS_SECRET_ACCESS_KEY": "d1st1nct1ve/secret/key/of/the/shell/00001",
    "AWS_SESSION_TOKEN": "FwoGZXIvYXdzEDistinctiveTokenOfTheShell==",
    "DATABASE_PASSWORD": "d1st1nct1ve-passw0rd",
}


def environment_of(process: str) -> dict[str, str]:
    pairs = Path(f"/proc/{process}/environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def test_the_shells_secrets_reach_neither_the_embedded_aws_nor_a_function_nor_a_file(fresh: LocalProject) -> None:
    before = os.umask(0)  # of a shell that leaves everything open
    try:
        ran = [fresh.run("deploy", "--env", "local", "--debug", folder=fresh.root, **SECRETS)]
        ran += [
            fresh.within(*arguments, **SECRETS)
            for arguments in (
                ("smoke-test", "--env", "local", "--only", "workflow", "--json"),
                ("local", "env"),
                ("local", "status", "--json"),
                ("outputs", "--env", "local"),
            )
        ]
    finally:
        os.umask(before)
    assert [one.status for one in ran] == [0] * len(ran), ran
    said = "".join(one.out + one.err for one in ran)

    running = emulator.find(fresh.root)
    assert running is not None
    functions = [entry.name for entry in Path("/proc").iterdir() if parent_of(entry.name) == str(running.pid)]
    assert functions
    issued = {environment_of(function)["AWS_SECRET_ACCESS_KEY"] for function in functions}
    assert issued.isdisjoint({"test", *SECRETS.values()})  # keys of the functions' roles
    for process in (str(running.pid), *functions):
        assert not set(SECRETS.values()) & set(environment_of(process).values())
    assert not [secret for secret in (*SECRETS.values(), *issued) if secret in said]

    emulator.stop(fresh.root)  # which writes the state
    files = [path for path in fresh.root.rglob("*") if path.is_file()]
    written = b"".join(path.read_bytes() for path in files)
    assert not [name for name, secret in SECRETS.items() if secret.encode() in written]
    for private in (".paycli", ".paycli/embedded"):
        assert stat.S_IMODE((fresh.root / private).stat().st_mode) == 0o700
    assert {path.name for path in fresh.root.iterdir()} == {".paycli", "cfn-outputs", "paycli.toml"}
