"""YAML and JSON say the same, and the YAML is for people."""

import json
from typing import Any

import pytest
import yaml
from cfnlint.decode import decode_str
from hypothesis import given, settings
from hypothesis import strategies as st
from troposphere import GetAtt, If, Join, Output, Ref, Select, Sub, Template

from paycli.environment import Environment, presets
from paycli.stack import build
from paycli.stack.bootstrap import build_bootstrap
from paycli.stack.rendering import to_json
from paycli.stack.yaml_rendering import to_yaml


class Loader(yaml.SafeLoader):
    """Reads the short tags back as CloudFormation does."""


def _read(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    else:
        assert isinstance(node, yaml.SequenceNode)
        value = loader.construct_sequence(node, deep=True)
    if suffix == "GetAtt":
        value = value.split(".", 1)
    return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", _read)


def read(text: str) -> Any:
    return yaml.load(text, Loader=Loader)


@pytest.mark.parametrize("name", ["local", "dev", "prod"])
def test_yaml_and_json_are_equal(name: str) -> None:
    template = build(Environment(name=name, **presets()[name]))
    assert read(to_yaml(template)) == json.loads(to_json(template))


def test_yaml_of_the_bootstrap_stack_too() -> None:
    template = build_bootstrap(retain=True, tls_only=True, log_role=True)
    assert read(to_yaml(template)) == json.loads(to_json(template))


def test_cfn_lint_reads_the_yaml_as_the_json(prod: Any) -> None:
    template = build(prod.environment)
    document, problems = decode_str(to_yaml(template))
    assert not problems
    assert json.loads(json.dumps(document)) == json.loads(to_json(template))


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=60)


@given(st.lists(TEXT, min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_any_text_survives(texts: list[str]) -> None:
    template = Template(Description="texts")
    for number, text in enumerate(texts):
        template.add_output(Output(f"Text{number}", Value=text))
        template.add_output(Output(f"Sub{number}", Value=Sub(text)))
    assert read(to_yaml(template)) == json.loads(to_json(template))


@pytest.mark.parametrize(
    "text", ["yes", "on", "1e3", "012", "2012-10-17", "null", "~", "true", "1:30", "", " x", "a: b"]
)
def test_text_that_looks_like_something_else_stays_text(text: str) -> None:
    template = Template()
    template.add_output(Output("Text", Value=text))
    assert read(to_yaml(template))["Outputs"]["Text"]["Value"] == text


def test_functions_are_written_short() -> None:
    template = Template()
    values = {
        "A": Ref("Thing"),
        "B": GetAtt("Thing", "Arn"),
        "C": Sub("${Thing}-x"),
        "D": Join(",", [Ref("Thing"), Select(0, ["a"])]),
        "E": If("Cond", Sub("${V}", V=Ref("Thing")), "no"),
    }
    for name, value in values.items():
        template.add_output(Output(name, Value=value))
    text = to_yaml(template)
    assert read(text) == json.loads(to_json(template))
    for short in ("!Ref Thing", "!GetAtt Thing.Arn", "!Sub ${Thing}-x", "!Join", "!Select", "!If"):
        assert short in text
    assert "Fn::" not in text
    assert "&id" not in text


def test_a_reviewer_reads_it_from_top_to_bottom(prod: Any) -> None:
    text = to_yaml(build(prod.environment))
    sections = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert [line.split(":")[0] for line in sections] == [
        "AWSTemplateFormatVersion",
        "Description",
        "Metadata",
        "Parameters",
        "Resources",
        "Outputs",
    ]
    assert "DashboardBody: !Sub |\n" in text
    table = text[text.index("  TransactionsTable:") :].splitlines()
    assert [line.split(":")[0].strip() for line in table[1:5]] == [
        "Type",
        "DeletionPolicy",
        "UpdateReplacePolicy",
        "Properties",
    ]
    assert "\t" not in text
    assert "Fn::" not in text


def test_json_is_minified(dev: Any) -> None:
    text = to_json(build(dev.environment))
    assert text == json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\ufeff", "\u00ad", "\u2028", "\x1b", "\x85"])
@pytest.mark.parametrize("around", ["{}", "two\nlines {}", "{} é"])
def test_what_cannot_be_seen_is_escaped(hidden: str, around: str) -> None:
    template = Template()
    template.set_description("x")
    said = around.format(f"a{hidden}b")
    template.add_output(Output("Said", Value=said))
    template.add_output(Output("Filled", Value=Sub(said)))
    text = to_yaml(template)
    assert text.replace("\n", "").isprintable()
    assert read(text) == json.loads(to_json(template))


def test_what_can_be_seen_stays_as_it_is() -> None:
    template = Template()
    template.add_output(Output("Said", Value="Zahlung für Łódź 東京"))
    assert "Zahlung für Łódź 東京" in to_yaml(template)
