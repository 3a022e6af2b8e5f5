"""No secret stands in a template, nor where a template puts it in clear."""

import re
from collections.abc import Iterator
from typing import Any

from cfnlint.rules import RuleMatch

from paycli.audit.rule import AuditRule, finding
from paycli.audit.template import Node, Path, Stack

# What is a secret by its form alone. AWS's own documentation ends its examples in EXAMPLE.
_SECRETS = re.compile(
    r"(?P<aws>\b(?:AKIA|ASIA)(?![A-Z0-9]{9}EXAMPLE)[A-Z2-7]{16}\b)"
    r"|(?P<key>-----BEGIN [A-Z ]*PRIVATE KEY-----)"
    r"|(?P<github>\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,}))"
    r"|(?P<slack>\bxox[abeoprs]-[A-Za-z0-9-]{10,})"
    r"|(?P<stripe>\b[rs]k_live_[A-Za-z0-9]{16,})"
    r"|(?P<google>\bAIza[A-Za-z0-9_-]{35})"
    r"|(?P<jwt>\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.)"
    r"|(?P<url>://[^\s/:@$<>{}]+:[^\s/:@$<>{}]+@)"
)
_KINDS = {
    "aws": "an AWS access key",
    "key": "a private key",
    "github": "a GitHub token",
    "slack": "a Slack token",
    "stripe": "a Stripe key",
    "google": "a Google API key",
    "jwt": "a signed token",
    "url": "a password in a URL",
}

# The last words of a name decide: DB_PASSWORD holds a password, SECRET_ARN and TOKEN_TTL don't.
_SECRET_NAME = re.compile(
    r"(PASSWORD|PASSWD|PASSPHRASE|(^|_)(PWD|SECRET|TOKEN|CREDENTIALS?|CONNECTION_?STRING"
    r"|(API|SECRET|ACCESS|PRIVATE|SIGNING|ENCRYPTION|HMAC|MASTER|AUTH)_?KEY))$"
)

_SECRET_REFERENCE = re.compile(r"\{\{resolve:(secretsmanager|ssm-secure):")


class LiteralSecret(AuditRule):
    """A key or token is written in the template."""

    id = "E9571"
    shortdesc = "A secret is written in the template"
    description = "A text has the form of an AWS key, a private key, a token, or a URL with a password."
    why = "Whoever reads the repository, the stack or its change sets has the secret; so does every backup of them."
    requirement = "PCI DSS 8.6.2; AWS Well-Architected SEC02-BP03"
    mend = "Revoke it. Store its successor in Secrets Manager, and let the code fetch it at run time."
    source_url = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/hardcoded.html"
    tags = ("secrets",)

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each text that holds one; the finding doesn't repeat it."""
        for path, text in _texts(stack.template, ()):
            secret = _SECRETS.search(text)
            if secret:
                yield RuleMatch(list(path), f"Here stands {_KINDS[str(secret.lastgroup)]}, for everybody to read")


class LiteralPassword(AuditRule):
    """An environment variable that is named like a secret has its value in the template."""

    id = "E9572"
    shortdesc = "An environment variable holds a secret in clear"
    description = "A variable with a name such as PASSWORD, TOKEN or API_KEY has a literal value."
    why = "The value is in the repository and in what every console and GetFunctionConfiguration call shows."
    requirement = "PCI DSS 8.6.2; AWS Security Hub ECS.8, CodeBuild.2; AWS Well-Architected SEC02-BP03"
    mend = "Give the function the secret's ARN, and let it fetch the value at run time."
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"
    tags = ("resources", "lambda", "secrets")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each such variable; a reference, an ARN, a path or a switch is no secret."""
        for name, node in _variables(stack):
            text = node.text or ""
            literal = text and node.truth is None and not re.search(r"\$\{|\{\{resolve:|^(arn:|/|https?:)", text)
            if literal and _names_secret(name):
                yield finding(node, f"{name} holds its value in clear")


class SecretInFunctionEnvironment(AuditRule):
    """CloudFormation writes a secret into a function's environment."""

    id = "W9573"
    shortdesc = "A secret is resolved into a function's environment"
    description = "A function's variable is a dynamic reference to a secret, or a parameter with NoEcho."
    why = (
        "CloudFormation resolves it: the value may show up in the service whose resource uses it. Lambda shows it to "
        "everybody with lambda:GetFunctionConfiguration, and it stays the same when the secret is rotated."
    )
    requirement = "PCI DSS 8.6.2, 8.3.2; AWS Well-Architected SEC02-BP03"
    mend = "Give the function the secret's ARN, and let it fetch the value at run time."
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html"
    tags = ("resources", "lambda", "secrets")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each variable that gets a secret's value."""
        for function in stack.resources("AWS::Lambda::Function"):
            for variables in function.get("Environment", "Variables"):
                for name in variables.keys:
                    for node in variables.get(name):
                        if _is_secret(stack, node):
                            yield finding(node, f"{name} shows a secret's value in the function's configuration")


class ParameterShowsSecret(AuditRule):
    """A parameter for a secret is shown, or has a default."""

    id = "E9574"
    shortdesc = "A parameter shows a secret"
    description = "A parameter that is named like a secret has no NoEcho, or a parameter with NoEcho has a default."
    why = "DescribeStacks and the console show every parameter without NoEcho; a default is in the template for all."
    requirement = "PCI DSS 8.3.2, 8.6.2; AWS Well-Architected SEC02-BP03"
    mend = "Set NoEcho: true and no Default; better, take the secret from Secrets Manager."
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"
    tags = ("parameters", "secrets")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each such parameter; one with a list of allowed values is a choice and no secret."""
        for name, value in stack.section("Parameters").items():
            parameter = Node(stack, value, ("Parameters", name))
            hidden = parameter.get("NoEcho")[0].truth is True
            default = parameter.get("Default")[0]
            if not hidden and _names_secret(name) and parameter.get("AllowedValues")[0].absent:
                yield finding(parameter, f"The parameter {name} is shown to everybody: no NoEcho")
            if (hidden or _names_secret(name)) and default.text and not default.text.startswith("{{resolve:"):
                yield finding(default, f"The default of {name} is a secret in clear")


class OutputShowsSecret(AuditRule):
    """An output shows a secret."""

    id = "E9575"
    shortdesc = "An output shows a secret"
    description = "An output's value is a parameter with NoEcho, or a dynamic reference to a secret."
    why = "Outputs are shown in clear by DescribeStacks, the console and every export."
    requirement = "PCI DSS 8.3.2; AWS Well-Architected SEC02-BP03"
    mend = "Put out the secret's ARN instead."
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html"
    tags = ("outputs", "secrets")

    def findings(self, stack: Stack) -> Iterator[RuleMatch]:
        """Yield each such output."""
        for name, value in stack.section("Outputs").items():
            for node in Node(stack, value, ("Outputs", name)).get("Value"):
                if _is_secret(stack, node):
                    yield finding(node, f"The output {name} shows a secret")


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _texts(member, (*path, key))
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from _texts(element, (*path, index))


def _variables(stack: Stack) -> Iterator[tuple[str, Node]]:
    """Yield the name and each value of every environment variable of the template."""
    for keys, resource_type in (
        (("Environment", "Variables"), "AWS::Lambda::Function"),
        (("Variables",), "AWS::ApiGateway::Stage"),
    ):
        for resource in stack.resources(resource_type):
            for variables in resource.get(*keys):
                for name in variables.keys:
                    yield from ((name, node) for node in variables.get(name))
    for task in stack.resources("AWS::ECS::TaskDefinition"):
        for container in task.listed("ContainerDefinitions"):
            for block in container.get("Environment"):
                yield from _pairs(block)
    for project in stack.resources("AWS::CodeBuild::Project"):
        for block in project.get("Environment", "EnvironmentVariables"):
            yield from _pairs(block)


def _pairs(block: Node) -> Iterator[tuple[str, Node]]:
    """Yield the variables of a list of {Name, Value}; another Type than PLAINTEXT names where the value is."""
    for pair in block.items():
        if all(node.absent or node.text == "PLAINTEXT" for node in pair.get("Type")):
            for name in pair.get("Name"):
                yield from ((name.text or "", node) for node in pair.get("Value"))


def _names_secret(name: str) -> bool:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper().replace("-", "_")
    return bool(_SECRET_NAME.search(words))


def _is_secret(stack: Stack, node: Node) -> bool:
    """Whether a deployment puts a secret's value here."""
    text = node.text or ""
    hidden = [
        name
        for name, value in stack.section("Parameters").items()
        if Node(stack, value, ()).get("NoEcho")[0].truth is True
    ]
    return (
        bool(_SECRET_REFERENCE.search(text))
        or node.parameter in hidden
        or any(f"${{{name}}}" in text for name in hidden)
    )
