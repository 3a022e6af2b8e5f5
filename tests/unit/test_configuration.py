"""paycli.toml: layers, sources, and errors that name the file, the field and the nearest right one."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paycli.configuration import known_names, load, project_root
from paycli.errors import ConfigurationError, ExitStatus


def written(folder: Path, text: str) -> Path:
    (folder / "paycli.toml").write_text(text)
    return folder


def refused(folder: Path, text: str, name: str = "prod") -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load(name, written(folder, text))
    assert caught.value.status is ExitStatus.CONFIGURATION
    return caught.value


def test_the_presets_work_without_a_file(tmp_path: Path) -> None:
    assert load("local", tmp_path).environment.target == "embedded"
    assert load("dev", tmp_path).environment.deployment_mode == "express"
    prod = load("prod", tmp_path).environment
    assert (prod.retain_data, prod.deployment_mode, prod.authorization) == (True, "standard", "iam")


def test_a_later_layer_wins_and_each_value_knows_its_source(tmp_path: Path) -> None:
    root = written(
        tmp_path,
        """
        [defaults]
        memory_mb = 256
        alarms = { errors = 9 }
        [env.staging]
        extends = "prod"
        log_retention_days = 90
        [env.pr-1]
        extends = "staging"
        alarms = { latency_p99_ms = 5 }
        """,
    )
    resolved = load("pr-1", root)
    assert resolved.environment.retain_data is True
    assert resolved.environment.memory_mb == 256
    assert resolved.environment.log_retention_days == 90
    assert (resolved.environment.alarms.errors, resolved.environment.alarms.latency_p99_ms) == (9, 5)
    assert resolved.sources["retain_data"] == "preset prod"
    assert resolved.sources["memory_mb"] == "paycli.toml [defaults]"
    assert resolved.sources["log_retention_days"] == "paycli.toml [env.staging]"
    assert resolved.sources["alarms.latency_p99_ms"] == "paycli.toml [env.pr-1]"
    assert resolved.sources["runtime"] == "default"


def test_any_name_is_an_environment_with_the_settings_of_dev(tmp_path: Path) -> None:
    resolved = load("pr-123", tmp_path)
    assert resolved.environment.name == "pr-123"
    assert resolved.sources["deployment_mode"] == "preset dev"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("prdo", "'prod'"),
        ("Prod", "'prod'"),
        ("lcoal", "'local'"),
        ("stagin", "'staging'"),
        ("prodd", "'prod'"),
        ("local2", "'local'"),
    ],
)
def test_a_slip_in_the_name_deploys_no_second_stack(tmp_path: Path, name: str, nearest: str) -> None:
    error = refused(tmp_path, "[env.staging]\n", name)
    assert nearest in error.hint


@pytest.mark.parametrize("name", ["UPPER", "1st", "a_b", "", "x" * 21, "dev\n", "../etc", "dlq-dev"])
def test_a_bad_name_is_refused(tmp_path: Path, name: str) -> None:
    assert refused(tmp_path, "", name).code == "bad_environment_name"


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ("[env.prod]\nmemry_mb = 3", "env.prod.memry_mb", "'memory_mb'"),
        ("[env.prod.alarms]\nerors = 3", "env.prod.alarms.erors", "'errors'"),
        ("[defaults]\nzzz = 1", "defaults.zzz", "Known:"),
        ("[defaults]\nname = 'x'", "defaults.name", "Known:"),
        ("[env.prod]\nname = 'x'", "env.prod.name", "Known:"),
        ("[envs.prod]", "envs", "'env'"),
        ("defaults = 3", "defaults", "[defaults]"),
        ("[env]\nprod = 3", "env.prod", "[env.prod]"),
        ("[env.Bad]", "env.Bad", "Lower-case"),
        ("[defaults]\nmemory_mb = 'x'", "defaults.memory_mb", "--describe"),
        (
            "[defaults]\nregion = 'mars'",
            "defaults.region: 'mars' is no region; write one such as eu-west-1",
            "--describe",
        ),
        ("[defaults]\nalarms = 3", "defaults.alarms", "--describe"),
        ("[env.prod.tags]\nProject = 'x'", "env.prod.tags", "--describe"),
        ("[env.prod.tags]\nTeam = 1", "env.prod.tags.Team", "--describe"),
        ("[env.prdo]\nretain_data = true", "paycli.toml: env.prdo: is 'prod' meant", "Write [env.prod]"),
        ("[env.prod]\nextends = 'devv'", "env.prod.extends", "'dev'"),
        ("[env.prod]\nextends = 3", "env.prod.extends", "Known:"),
        ("[env.prod]\nextend = 'dev'", "env.prod.extend", "'extends'"),
        ("[env.prod]\nextends = 'a'\n[env.a]\nextends = 'prod'", "prod -> a -> prod never ends", "local, dev, prod"),
    ],
)
def test_an_error_names_the_field_and_the_nearest_right_one(tmp_path: Path, text: str, where: str, hint: str) -> None:
    error = refused(tmp_path, text)
    assert "paycli.toml" in error.message
    assert where in error.message
    assert hint in error.hint


def test_a_choice_of_types_is_explained_as_one(tmp_path: Path) -> None:
    message = refused(tmp_path, "[env.prod.reserved_concurrency]\nvalidation = 'no'").message
    assert "env.prod.reserved_concurrency.validation" in message
    assert "'none'" in message
    assert "whole number" in message


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("account_id = 111111111111", 'account_id: write it in quotes, as "111111111111"'),
        ("account_id = true", 'account_id: write it in quotes, as "true"'),
        ("account_id = '11'", "account_id: must be an account of AWS, twelve digits in quotes"),
        ("profile = ['ada']", "profile: must be a text in quotes"),
        ("alarms.email = 'nobody'", 'alarms.email: must be an address alone, such as "payments@example.com"'),
        ("alarms.runbook = 'two words'", "alarms.runbook: must be a path or a URL without blanks"),
        ("cloudformation_role = 'deployer'", "cloudformation_role: must be the ARN of a role, such as"),
        ("permissions_boundary = 'bound'", "permissions_boundary: must be the ARN of a managed policy, such as"),
        ("memory_mb = '512'", "memory_mb: write it without quotes, as 512"),
        ("memory_mb = 512.5", "memory_mb: must be a whole number"),
        ("alarms.api_5xx_percent = '0.5'", "alarms.api_5xx_percent: write it without quotes, as 0.5"),
        ("alarms.api_5xx_percent = 'few'", "alarms.api_5xx_percent: must be a number"),
        ("alarms.api_5xx_percent = 0", "alarms.api_5xx_percent: must be greater than 0"),
        ("waf = 'true'", "waf: must be true or false, without quotes"),
        ("allowed_ips = '192.0.2.1'", 'allowed_ips: must be a list, as ["192.0.2.1"]'),
        ("allowed_ips = 4", "allowed_ips: must be a list"),
        ("alarms = 3", "alarms: must be a table"),
        ("authorization = 'IAM'", "authorization: must be 'iam' or 'none'"),
    ],
)
def test_a_wrong_value_is_told_in_words_with_what_to_write(tmp_path: Path, setting: str, words: str) -> None:
    assert refused(tmp_path, f"[env.prod]\n{setting}").message.startswith(f"paycli.toml: env.prod.{words}")


@pytest.mark.parametrize(("text", "line"), [("[defaults]\nmemory_mb = ", 2), ("a = 1\nb = [", 2), ("[x\n\n", 1)])
def test_a_syntax_error_names_its_line(tmp_path: Path, text: str, line: int) -> None:
    assert f"paycli.toml:{line}:" in refused(tmp_path, text).message


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "paycli.toml").write_bytes(b"\xef\xbb\xbf[defaults]\r\nmemory_mb = 200\r\n")
    assert load("dev", tmp_path).environment.memory_mb == 200


def test_nesting_without_end_is_a_syntax_error(tmp_path: Path) -> None:
    assert "not valid TOML" in refused(tmp_path, "a = " + "[" * 100_000).message


def test_digits_are_those_of_aws(tmp_path: Path) -> None:
    assert "account_id" in refused(tmp_path, "[env.prod]\naccount_id = '" + "\u0661" * 12 + "'").message


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "paycli.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="can't be read"):
        load("dev", tmp_path)


@given(st.text(max_size=60))
def test_whatever_stands_in_the_file_is_used_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    root = tmp_path_factory.mktemp("project")
    (root / "paycli.toml").write_text(text, encoding="utf-8", newline="")
    try:
        assert load("dev", root).environment.name == "dev"
    except ConfigurationError as error:
        assert "paycli.toml" in error.message


def test_the_root_is_found_from_any_folder_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert project_root(deep) == tmp_path
    monkeypatch.chdir(deep)
    assert project_root() == tmp_path


def test_without_any_mark_the_start_is_the_root() -> None:
    assert project_root(Path("/proc")) == Path("/proc")


def test_the_known_names_are_the_presets_and_those_of_the_file(tmp_path: Path) -> None:
    assert known_names(written(tmp_path, "[env.staging]")) == ["dev", "local", "prod", "staging"]
