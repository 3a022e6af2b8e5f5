"""The tool itself: secrets stay where they are, names steer nothing, and only what is meant is packed and installed."""

import contextlib
import http.server
import io
import json
import os
import re
import stat
import subprocess
import sys
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from paycli.cli import run
from paycli.configuration import load
from paycli.deployment import lint
from paycli.deployment.package import package
from paycli.environment import Environment
from paycli.errors import ConfigurationError, PaycliError
from paycli.files import write_whole
from paycli.stack import build
from paycli.stack.rendering import to_json
from paycli.stack.yaml_rendering import to_yaml

ROOT = Path(__file__).parents[2]

# Distinctive, and in the form of what they stand for.
SECRET_KEY = "s3cr3tK3y/Of/A/Payments/Developer/0123456"
TOKEN = "FwoGZXIvYXdzEDistinctiveSessionToken0123456789=="
PASSWORD = "pr0xyPassw0rd"


class Echo(http.server.BaseHTTPRequestHandler):
    """An AWS that quotes the request in its refusal, as STS and API Gateway do after a bad signature."""

    code = "SignatureDoesNotMatch"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        message = f"Not you: x-amz-security-token:{self.headers['X-Amz-Security-Token']} is nobody's"
        if self.code == "SignatureDoesNotMatch":
            quoted = "\n".join(f"{name.lower()}:{value}" for name, value in self.headers.items())
            message = f"The signature does not match.\n\nThe Canonical String should have been\n{quoted}"
        body = f"<ErrorResponse><Error><Code>{self.code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        self.send_response(403)
        self.send_header("Content-Type", "text/xml")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def quoting(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Echo]]:
    """An AWS that quotes requests, and a shell with credentials for it."""
    handler = type("OwnEcho", (Echo,), {})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLEEXAMPLE00",
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
    }.items():
        monkeypatch.setenv(name, value)
    yield handler
    server.shutdown()
    server.server_close()


def everything_written(folder: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def assert_nothing_secret(text: str) -> None:
    for secret in (SECRET_KEY, TOKEN, PASSWORD):
        assert secret not in text


COMMANDS = [
    ["config"],
    ["config", "--describe", "--json"],
    ["config", "deployer-policy", "--output", "policies"],
    ["render", "--output", "out.yaml"],
    ["local", "status"],
    ["local", "env"],
    ["deploy", "--yes"],
    ["deploy", "--dry-run", "--json"],
    ["smoke-test", "--json"],
    ["outputs"],
    ["teardown", "--yes"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "AccessDenied"])
def test_no_command_shows_or_writes_credentials(
    project: Path, quoting: type[Echo], capsys: pytest.CaptureFixture[str], arguments: list[str], code: str
) -> None:
    quoting.code = code
    run(arguments)
    said = capsys.readouterr()
    assert said.out + said.err
    assert_nothing_secret(said.out + said.err + everything_written(project))


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "AccessDenied"])
def test_debug_shows_no_token_either(project: Path, quoting: type[Echo], code: str) -> None:
    """The traceback ends with the error as AWS sent it."""
    quoting.code = code
    done = subprocess.run(
        [sys.executable, "-m", "paycli", "deploy", "--yes", "--debug"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert code in done.stderr
    assert_nothing_secret(done.stdout + done.stderr + everything_written(project))


def test_a_password_in_a_url_is_not_shown(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://someone:{PASSWORD}@127.0.0.1:9")
    assert run(["outputs"]) == 1
    said = capsys.readouterr()
    assert "127.0.0.1:9" in said.err
    assert_nothing_secret(said.out + said.err)


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_the_state_of_a_project_is_its_owners(project: Path, mask: int) -> None:
    """Whatever the umask, and where `.paycli` is older than this rule."""
    (project / ".paycli").mkdir(mode=0o777)
    before = os.umask(mask)
    try:
        lint.check('{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}', "eu-west-1", project, print)
    finally:
        os.umask(before)
    assert stat.S_IMODE((project / ".paycli").stat().st_mode) == 0o700


def test_a_private_file_is_private_from_its_first_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, int]] = []
    replace = Path.replace

    def looked_at(self: Path, target: Path) -> Path:
        seen.append(modes(tmp_path))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", looked_at)
    before = os.umask(0)
    try:
        write_whole(tmp_path / "record", "x", mode=0o600)
        write_whole(tmp_path / "record", "y", mode=0o600)
    finally:
        os.umask(before)
    assert {mode for moment in seen for name, mode in moment.items() if name != "."} == {0o600}
    assert (tmp_path / "record").read_text() == "y"


def test_a_link_that_lies_in_the_way_is_not_followed(tmp_path: Path) -> None:
    """In a folder that others may write to: whatever name the draft has, it is new."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / ".record.new").symlink_to(victim)
    (tmp_path / "record").symlink_to(victim)
    write_whole(tmp_path / "record", "mine")
    assert victim.read_text() == "untouched"
    assert (tmp_path / "record").read_text() == "mine"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "record").write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "record", "\ud800")
    assert [path.name for path in tmp_path.iterdir()] == ["record"]
    assert (tmp_path / "record").read_text() == "old"


HOSTILE = ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\r", "\b", "\u202e", "\x00", "::error::", "{{resolve:ssm:a}}"]
TEXT = st.text(max_size=30) | st.sampled_from(HOSTILE).map(lambda part: f"a{part}b")


def steers(text: str) -> set[str]:
    """Return what of a text would act on a terminal."""
    return {letter for letter in text if not letter.isprintable() and letter != "\n"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(
    field=st.sampled_from(["profile", "region", "cloudformation_role", "runtime", "tags", "name", "extends"]), text=TEXT
)
@example(field="profile", text="\x1b[2J")
@example(field="tags", text="\x1b[2J")
def test_no_setting_reaches_the_terminal_as_more_than_text(
    project: Path, capsys: pytest.CaptureFixture[str], field: str, text: str
) -> None:
    """Refused or shown, in words or as JSON."""
    value = json.dumps(text).replace("\x7f", "\\u007f")
    document = {
        "tags": f"[env.dev]\ntags = {{ {value} = {value} }}\n",
        "name": f"[env.{value}]\n",
    }.get(field, f"[env.dev]\n{field} = {value}\n")
    (project / "paycli.toml").write_text(document, encoding="utf-8")
    for arguments in (["config"], ["config", "--json"], ["config", "--describe"]):
        run([*arguments, "--env", "dev"])
        said = capsys.readouterr()
        assert not steers(said.out + said.err)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(TEXT)
def test_no_argument_reaches_the_terminal_as_more_than_text(
    project: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    for arguments in (
        ["config", "--env", text],
        ["render", text],
        [text],
        ["outputs", "--key", text, "--env", "local"],
    ):
        run(arguments)
        said = capsys.readouterr()
        assert not steers(said.out + said.err)


NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")


@given(st.text(max_size=25) | st.from_regex(r"[a-z0-9./{}$-]{1,22}", fullmatch=True))
@example("../../etc")
@example("a\n")
def test_a_name_is_nothing_but_letters_digits_and_hyphens(name: str) -> None:
    """Names are parts of file names, ARNs, Fn::Sub texts and queue names."""
    try:
        environment = load(name, Path("/nonexistent")).environment
    except ConfigurationError:
        return
    assert NAME.fullmatch(environment.name)


ALLOWED_TAG = st.text(st.characters(categories=["L", "N"]) | st.sampled_from(" +-=._:/@"), min_size=1, max_size=40)


class Tags(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads YAML with CloudFormation's short tags as plain data."""


Tags.add_multi_constructor("!", lambda loader, suffix, node: [suffix, _plain(loader, node)])


def _plain(loader: Any, node: Any) -> Any:
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else loader.construct_sequence(node, True)


PLAIN = set(build(Environment(name="dev")).resources)


@settings(max_examples=8, deadline=None)
@given(st.dictionaries(ALLOWED_TAG, ALLOWED_TAG | st.just(""), max_size=3))
@example(
    {"on": "yes", "Ref": "Key", "Fn:": "1e3", "=": "=", "a: b": "- c", "0x1": "0o7", "~": "null", "@": "!Ref Key"[1:]}
)
def test_tags_stay_text_in_every_template(tags: dict[str, str]) -> None:
    """What a tag says is read back to the letter, from JSON and from YAML, and adds nothing else."""
    try:
        environment = Environment(name="dev", tags=tags)
    except ValueError:
        return
    template = build(environment)
    for resources in (json.loads(to_json(template))["Resources"], yaml.load(to_yaml(template), Tags)["Resources"]):
        found = resources["AlarmTopic"]["Properties"]["Tags"]
        assert {tag["Key"]: tag["Value"] for tag in found} == environment.all_tags
        assert set(resources) == PLAIN


@given(st.text(max_size=20))
@example("{{resolve:secretsmanager:a}}")
@example("${AWS::AccountId}")
def test_no_tag_is_resolved_by_cloudformation(text: str) -> None:
    """A dynamic reference, `{{resolve:…}}`, would put a secret into a tag that everybody may read."""
    with contextlib.suppress(ValueError):
        assert not set("{}$\"'\\<>") & set("".join(Environment(name="dev", tags={"a": text}).tags.values()))


@pytest.mark.parametrize("field", ["cloudformation_role", "permissions_boundary"])
@pytest.mark.parametrize("end", ["{{resolve:ssm:a}}", "\x1b[2J", "a\nb", "a b", ""])
def test_an_arn_in_the_settings_is_one(field: str, end: str) -> None:
    kind = "role" if field == "cloudformation_role" else "policy"
    with pytest.raises(ValueError, match=field):
        Environment(name="dev", **{field: f"arn:aws:iam::111111111111:{kind}/{end}"})  # type: ignore[arg-type]


def test_a_file_that_is_compared_cannot_steer_the_terminal(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """templates/ comes with a branch that is being reviewed."""
    (project / "templates").mkdir()
    (project / "templates" / "dev.yaml").write_text("a: \x1b]0;owned\x07\x1b[2J\n")
    assert run(["render", "--check", "--env", "dev"]) == 4
    said = capsys.readouterr()
    assert "owned" in said.out
    assert not steers(said.out + said.err)


@pytest.mark.parametrize(
    "arguments", [["render", "--env", "dev", "--output"], ["config", "deployer-policy", "--output"]]
)
def test_a_path_cannot_steer_the_terminal(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run([*arguments, "out\x1b[2J"]) == 0
    said = capsys.readouterr()
    assert "out" in said.out
    assert not steers(said.out + said.err)


def sources(root: Path) -> Path:
    root.mkdir()
    (root / "a.py").write_text("A = 1\n")
    return root


def packed(root: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(package(root).content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_no_link_takes_a_secret_into_the_package(tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("PASSWORD = 1\n")
    root = sources(tmp_path / "handlers")
    (root / "b.py").symlink_to(tmp_path / "secret.py")
    with pytest.raises(PaycliError, match="symbolic link"):
        package(root)
    (root / "b.py").unlink()
    (root / "b.py").symlink_to(tmp_path / "nowhere.py")
    with pytest.raises(PaycliError, match="symbolic link"):
        package(root)


def test_no_linked_folder_is_entered_and_no_loop_is_walked(tmp_path: Path) -> None:
    outside = sources(tmp_path / "outside")
    (outside / "secret.py").write_text("PASSWORD = 1\n")
    root = sources(tmp_path / "handlers")
    (root / "loop").symlink_to(root)
    (root / "more").symlink_to(outside)
    try:
        found = packed(root)
    except PaycliError as refused:
        assert "symbolic link" in refused.message
    else:
        assert set(found) == {"handlers/a.py"}


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path, kind: str) -> None:
    root = sources(tmp_path / "handlers")
    if kind == "pipe":
        os.mkfifo(root / "b.py")
    else:
        (root / "b.py").mkdir()
    with pytest.raises(PaycliError, match="not a file"):
        package(root)


def test_a_linked_checkout_is_packed_as_it_is(tmp_path: Path) -> None:
    root = sources(tmp_path / "real")
    (tmp_path / "handlers").symlink_to(root)
    assert packed(tmp_path / "handlers") == packed(root) == {"handlers/a.py": b"A = 1\n"}


def pins() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[^=<>~!,;\s]+", line) for line in lines)
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def needed() -> dict[str, str]:
    """Return the installed distributions, with their versions, that the project, its extras and its tools need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"], *(r for e in extras for r in e)]
    found: dict[str, str] = {}
    waiting = [Requirement(text) for text in asked]
    done: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in requirement.extras or {""}:
            if (name, extra) in done:
                continue
            done.add((name, extra))
            with contextlib.suppress(PackageNotFoundError):  # what isn't for this platform isn't installed
                wanted = distribution(name)
                found[name] = wanted.version
                more = [Requirement(text) for text in wanted.requires or []]
                waiting += [one for one in more if not one.marker or one.marker.evaluate({"extra": extra})]
    return found


def test_every_distribution_that_is_installed_for_the_project_is_pinned() -> None:
    """So that a new release of something deep down comes by a reviewed change, and not by an install."""
    found = needed()
    assert len(found) > 50
    assert {name: pins().get(name) for name in found} == found
