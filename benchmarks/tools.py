"""How other tools deploy the stack of an environment to the embedded AWS of a project, and take it down."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measuring import PAYCLI, ROOT, seconds
from paycli import configuration, emulator
from paycli.aws import connect
from paycli.deployment.bootstrap import demand_bucket
from paycli.deployment.package import package
from paycli.handlers_source import handlers_root
from paycli.stack import build
from paycli.stack.rendering import to_json

PEERS = ROOT / ".bench"
AWS_CLI, SAM, SCEPTRE = (str(PEERS / name) for name in ("awscli/bin/aws", "sam/bin/sam", "sceptre/bin/sceptre"))
OWN = "paycli"
NAMES = (OWN, "awscli", "packaging", "sam", "sceptre")
Commands = tuple[list[str], ...]


@dataclass(frozen=True)
class Tool:
    """The commands that deploy and take down, and the environment variables they run with."""

    label: str
    deploy: Commands
    teardown: Commands
    folder: Path
    variables: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def timed(self, commands: Commands) -> float:
        """Return the wall time of commands, one after the other."""
        return sum(seconds(command, self.folder, self.variables) for command in commands)


@dataclass(frozen=True)
class Site:
    """The project on whose embedded AWS all deploy, and where the code lies."""

    root: Path
    url: str
    bucket: str

    @classmethod
    def started(cls, root: Path) -> "Site":
        """Start the embedded AWS; its stack `local` has made the bucket, and stays until `stop`."""
        (root / "paycli.toml").write_text("".join(f'[env.{name}]\nextends = "local"\n' for name in NAMES))
        seconds([*PAYCLI, "deploy", "--env", "local"], root)
        environment = configuration.load("local", root).environment
        url = emulator.start(root).url
        return cls(root, url, demand_bucket(connect(environment, url), environment))

    def template(self, name: str) -> Path:
        """Write the template of an environment, and return its path."""
        path = self.root / f"{name}.json"
        path.write_text(to_json(build(configuration.load(name, self.root).environment)))
        return path

    def parameters(self) -> dict[str, str]:
        """Return the template's parameters."""
        return {"ArtifactBucket": self.bucket, "CodeKey": package(handlers_root()).key}

    def tags(self, name: str) -> dict[str, str]:
        """Return the tags of an environment's stack."""
        return configuration.load(name, self.root).environment.all_tags


def pointing_at(url: str) -> dict[str, str]:
    """Return environment variables that point any AWS tool at `url`, and at nothing of the caller's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    region = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {**clean, **region, **keys, **files, "AWS_ENDPOINT_URL": url, "AWS_PAGER": "", "SAM_CLI_TELEMETRY": "0"}


def own(at: Site) -> Tool:
    """Return paycli; it knows its embedded AWS by itself."""
    deploy, teardown = ([*PAYCLI, command, "--env", OWN] for command in ("deploy", "teardown"))
    return Tool(OWN, (deploy,), (teardown,), at.root)


def others(at: Site) -> Iterator[Tool]:
    """Give the tools that are installed."""
    for program, makers in ((AWS_CLI, (_aws_cli, _packaging)), (SAM, (_sam,)), (SCEPTRE, (_sceptre,))):
        if Path(program).exists():
            yield from (maker(at) for maker in makers)


def _aws_cli(at: Site) -> Tool:
    deploy = [AWS_CLI, "cloudformation", "deploy", "--template-file", str(at.template("awscli"))]
    deploy += _options(at, "awscli")
    return Tool("aws cloudformation deploy", (deploy,), _deleted("awscli"), at.root, pointing_at(at.url))


def _packaging(at: Site) -> Tool:
    """Return the AWS CLI as it is used where it has to see to the code as well."""
    source, packed = at.template("packaging"), str(at.root / "packed.json")
    shutil.copytree(handlers_root(), at.root / "code" / "handlers", ignore=shutil.ignore_patterns("__pycache__"))
    template = json.loads(source.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"] = "code"
    source.write_text(json.dumps(template))
    pack = [AWS_CLI, "cloudformation", "package", "--template-file", str(source), "--s3-bucket", at.bucket]
    pack += ["--use-json", "--output-template-file", packed]
    deploy = [AWS_CLI, "cloudformation", "deploy", "--template-file", packed, "--s3-bucket", at.bucket]
    deploy += _options(at, "packaging")
    return Tool("the same after package", (pack, deploy), _deleted("packaging"), at.root, pointing_at(at.url))


def _options(at: Site, name: str) -> list[str]:
    """Return what `aws cloudformation deploy` and `sam deploy` both take."""
    return [
        *("--stack-name", f"payment-api-{name}", "--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset"),
        *("--parameter-overrides", *(f"{key}={value}" for key, value in at.parameters().items())),
        *("--tags", *(f"{key}={value}" for key, value in at.tags(name).items())),
    ]


def _deleted(name: str) -> Commands:
    stack = ["--stack-name", f"payment-api-{name}"]
    verbs = (["delete-stack"], ["wait", "stack-delete-complete"])
    return tuple([AWS_CLI, "cloudformation", *verb, *stack] for verb in verbs)


def _sam(at: Site) -> Tool:
    deploy = [SAM, "deploy", "--template-file", str(at.template("sam")), "--s3-bucket", at.bucket, *_options(at, "sam")]
    delete = [SAM, "delete", "--stack-name", "payment-api-sam", "--no-prompts", "--region", "us-east-1"]
    return Tool("sam deploy", (deploy,), (delete,), at.root, pointing_at(at.url))


def _sceptre(at: Site) -> Tool:
    folder = at.root / "sceptre"
    for part in ("config", "templates"):
        (folder / part).mkdir(parents=True)
    shutil.copy(at.template("sceptre"), folder / "templates" / "api.json")
    stack = {
        "template": {"path": "api.json", "type": "file"},
        "stack_name": "payment-api-sceptre",
        "parameters": at.parameters(),
        "stack_tags": at.tags("sceptre"),
    }
    for name, content in (("config", {"project_code": "bench", "region": "us-east-1"}), ("api", stack)):
        (folder / "config" / f"{name}.yaml").write_text(json.dumps(content))  # JSON is YAML
    launch, delete = ([SCEPTRE, verb, "--yes", "api.yaml"] for verb in ("launch", "delete"))
    return Tool("sceptre launch", (launch,), (delete,), folder, pointing_at(at.url))
