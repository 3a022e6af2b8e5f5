"""Everything in which local, dev and prod differ, as one validated, immutable value.

Prices are AWS's public on-demand prices in us-east-1 and only say the order of magnitude.
"""

import ipaddress
import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

NAME_PATTERN = r"^[a-z][a-z0-9-]{0,19}$"


def is_name(text: str) -> bool:
    """Whether an environment may be called so: failed-transactions-dlq-x is the dead-letter queue of x."""
    return bool(re.fullmatch(NAME_PATTERN, text)) and not text.startswith("dlq-")


# What CloudWatch Logs accepts, in days:
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]


def _of_form(pattern: str, words: str) -> AfterValidator:
    """Refuse a text that hasn't the form, and say in words which that is."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {words}")
        return text

    return AfterValidator(check)


Concurrency = Literal["none"] | Annotated[int, Field(ge=1, le=10_000)]
AccountId = Annotated[str, _of_form(r"[0-9]{12}", 'an account of AWS, twelve digits in quotes, such as "111122223333"')]
RoleArn = Annotated[
    str,
    _of_form(
        r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+",
        'the ARN of a role, such as "arn:aws:iam::111122223333:role/NAME"',
    ),
]
PolicyArn = Annotated[
    str,
    _of_form(
        r"arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+",
        'the ARN of a managed policy, such as "arn:aws:iam::111122223333:policy/NAME"',
    ),
]
Principal = Annotated[
    str,
    _of_form(
        r"[0-9]{12}|arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+",
        'accounts (twelve digits) or ARNs of a role or a user, such as "arn:aws:iam::111122223333:role/NAME"',
    ),
]
EmailAddress = Annotated[
    str,
    StringConstraints(max_length=254),
    _of_form(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", 'an address alone, such as "payments@example.com"'),
]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Throttle(_Settings):
    """How much traffic the stage lets through before it answers 429."""

    rate: Annotated[int, Field(ge=1, description="Steady requests per second over all routes.")] = 1000
    burst: Annotated[int, Field(ge=1, description="Requests that may come at once.")] = 2000


class ReservedConcurrency(_Settings):
    """Instances kept for one function, and its upper limit.

    Free of charge, but taken from the account's pool; a new account's limit can be 10, where any
    reservation fails: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """

    validation: Annotated[Concurrency, Field(description="For payment-validation.")] = "none"
    processing: Annotated[Concurrency, Field(description="For payment-processing.")] = "none"
    health_monitor: Annotated[Concurrency, Field(description="For health-monitor.")] = "none"


class Alarms(_Settings):
    """When somebody is told. Each alarm costs about USD 0.10 a month."""

    email: Annotated[
        EmailAddress | None, Field(description="Who receives the alarms; must confirm the subscription.")
    ] = None
    latency_p99_ms: Annotated[int, Field(ge=1, description="API latency, 99th percentile over 5 minutes.")] = 2000
    errors: Annotated[int, Field(ge=1, description="Errors of a payment function in 5 minutes.")] = 5
    api_5xx_percent: Annotated[
        float, Field(gt=0, le=100, description="Share of 5xx answers of the API over 5 minutes.")
    ] = 1.0
    throttles: Annotated[int, Field(ge=1, description="Throttled calls (table or a function) in 5 minutes.")] = 1
    failed_queue_age_hours: Annotated[
        int,
        Field(ge=1, le=300, description="Age of the oldest message that waits in the failed-transactions queue."),
    ] = 168
    health_silence_minutes: Annotated[
        int, Field(ge=2, le=60, description="How long the health monitor may say nothing.")
    ] = 5
    runbook: Annotated[
        str,
        _of_form(r"[!-~]{1,200}", "a path or a URL without blanks, of at most 200 characters of ASCII"),
        Field(description="The page that each alarm names, with the alarm's section behind a #."),
    ] = "docs/operations.md"


Auditor = Literal["cfn-lint", "checkov", "cfn_nag", "cfn-guard"]

# How each auditor writes the ids of its rules. cfn_nag has W1200 as well, which reads like one of cfn-lint: there
# the tool has to be said. Ids of cfn-guard are the names of rules.
_RULE_IDS: dict[Auditor, str] = {
    "cfn-lint": r"[EWI][0-9]{4}",
    "checkov": r"CKV2?_[A-Z0-9_]+",
    "cfn_nag": r"F[0-9]{1,4}|W[0-9]{1,3}",
    "cfn-guard": r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+",
}


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_OneOrMore = Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1, strict=False)]
_Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class AcceptedRisk(_Settings):
    """A finding that the project lives with: `[[audit.accept]]` of paycli.toml. Its last day is `until`."""

    rule: _Said
    resource: _OneOrMore  # logical IDs, or `*` for all
    reason: _Said
    owner: _Said
    until: date
    tool: Auditor = "cfn-lint"  # whose rule it is; without it the id tells

    @model_validator(mode="before")
    @classmethod
    def _tool_by_id(cls, said: Any) -> Any:
        if not isinstance(said, dict) or "tool" in said or not isinstance(said.get("rule"), str):
            return said
        tool = next((tool for tool, form in _RULE_IDS.items() if re.fullmatch(form, said["rule"])), None)
        if tool is None:
            raise ValueError(f"whose rule {said['rule']!r} is can't be told; say tool = one of {', '.join(_RULE_IDS)}")
        return {**said, "tool": tool}

    @model_validator(mode="after")
    def _no_error_everywhere(self) -> Self:
        if self.tool == "cfn-lint" and self.rule.startswith("E") and "*" in self.resource:
            raise ValueError(f"an error ({self.rule}) is accepted for resources by name alone, not for '*'")
        return self

    @property
    def decision(self) -> str:
        """The reason, who answers for it, and until when."""
        return f"{self.reason} ({self.owner}, until {self.until})"


class Environment(_Settings):
    """One deployment of the payment API and every setting of it."""

    name: Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
    target: Annotated[
        Literal["aws", "embedded"], Field(description="Where it runs: an AWS account, or the embedded AWS.")
    ] = "aws"
    region: Annotated[
        str | None,
        Field(description="AWS region; unset: what AWS_REGION or the profile says."),
    ] = None
    account_id: Annotated[
        AccountId | None,
        Field(description="A guard: any other account is refused before anything happens."),
    ] = None
    profile: Annotated[
        str | None, Field(description="Profile of the AWS configuration files; unset: the standard chain.")
    ] = None
    cloudformation_role: Annotated[
        RoleArn | None,
        Field(description="Role that CloudFormation assumes to make the resources; unset: the caller's rights."),
    ] = None
    permissions_boundary: Annotated[
        PolicyArn | None,
        Field(description="Policy that bounds every role of the stack, so that who deploys can't give them more."),
    ] = None
    deployment_mode: Annotated[
        Literal["express", "standard"],
        Field(description="express doesn't wait until resources are stable; AWS advises against it in production."),
    ] = "standard"
    rollback_on_alarm: Annotated[
        bool,
        Field(description="Roll an update back when an error alarm goes off meanwhile; never a create or a rollback."),
    ] = False
    rollback_monitoring_minutes: Annotated[
        int, Field(ge=0, le=180, description="How long the error alarms are watched after the update; it waits for it.")
    ] = 0
    authorization: Annotated[
        Literal["iam", "none"], Field(description="iam: callers sign with SigV4; none: anyone may call.")
    ] = "iam"
    # A resource policy holds 8,192 bytes; a hundred IPv6 networks and twenty roles take about seven thousand.
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
    allowed_ips: Annotated[
        list[str],
        Field(
            max_length=100,
            description="Networks that may call, as CIDR; empty: any. API Gateway sees public addresses: of a caller "
            "in a VPC its NAT gateway's. The machine that runs the smoke test needs one.",
        ),
    ] = []
    allowed_principals: Annotated[
        list[Principal],
        Field(
            max_length=20,
            description="Callers of other AWS accounts, as account ids or role or user ARNs; their own account must "
            "allow it too. Callers of this account need only their IAM policy.",
        ),
    ] = []
    waf: Annotated[
        bool,
        Field(
            description="A web ACL of AWS WAF before the API: AWS's common, known-bad-inputs and IP-reputation rules, "
            "and a limit for each address. USD 9 a month (5 for the web ACL, 1 for each of 4 rules) and 0.60 for each "
            "million requests."
        ),
    ] = False
    runtime: Annotated[
        Literal["python3.11", "python3.12", "python3.13", "python3.14"], Field(description="Lambda runtime.")
    ] = "python3.11"
    memory_mb: Annotated[
        int,
        Field(
            ge=128,
            le=10_240,
            description="Memory of each function; CPU grows with it. USD 0.0000133 a GB-second.",
        ),
    ] = 512
    log_retention_days: Annotated[
        RetentionDays,
        Field(description="How long logs are kept. USD 0.50 a GB taken in, 0.03 a GB-month kept."),
    ] = 30
    payment_ttl_hours: Annotated[
        int, Field(ge=1, le=24 * 90, description="How long a validated payment waits to be processed.")
    ] = 24
    retain_data: Annotated[
        bool,
        Field(
            description="Keep table, key, queues, logs and backups when the stack is deleted. "
            "A kept key costs USD 1 a month, a kept table what it stores."
        ),
    ] = False
    backup: Annotated[
        bool,
        Field(
            description="A backup of the table every day, in a vault. Each is a whole copy at USD 0.10 a GB-month: "
            "kept for 35 days, they cost USD 3.50 a month for each GB of the table."
        ),
    ] = False
    backup_retention_days: Annotated[int, Field(ge=1, le=36_500, description="How long each backup is kept.")] = 35
    throttle: Throttle = Throttle()
    reserved_concurrency: ReservedConcurrency = ReservedConcurrency()
    alarms: Alarms = Alarms()
    tags: Annotated[
        dict[str, str], Field(max_length=40, description="Your own tags, on everything that takes tags.")
    ] = {}
    # No setting: `[[audit.accept]]` says it, for one environment or all.
    accepted_risks: Annotated[tuple[AcceptedRisk, ...], Field(exclude=True)] = ()

    @field_validator("region")
    @classmethod
    def _region_is_one(cls, region: str | None) -> str | None:
        if region is not None and not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]", region):
            raise ValueError(f"{region!r} is no region; write one such as eu-west-1")
        return region

    @field_validator("allowed_ips")
    @classmethod
    def _networks_are_some(cls, networks: list[str]) -> list[str]:
        """Return each network as AWS writes it: one address as /32 or /128."""
        return [_network(text) for text in networks]

    @field_validator("allowed_principals")
    @classmethod
    def _principals_can_be_told(cls, principals: list[str], info: ValidationInfo) -> list[str]:
        if principals and info.data.get("authorization") == "none":
            raise ValueError('with authorization = "none" nobody signs, so no caller can be told from another')
        return principals

    @field_validator("tags")
    @classmethod
    def _tags_are_allowed(cls, tags: dict[str, str]) -> dict[str, str]:
        """Refuse what AWS refuses, and the three keys that paycli sets itself.

        https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
        """
        for key, value in tags.items():
            if key in {"Project", "Environment", "ManagedBy"} or key.lower().startswith("aws:"):
                raise ValueError(f"the tag {key!r} is reserved")
            if not 1 <= len(key) <= 128 or len(value) > 256:
                raise ValueError(f"the tag {key[:40]!r} is empty or too long: 1 to 128 characters a key, 256 a value")
            if any(not (letter.isalnum() or letter in " +-=._:/@") for letter in key + value):
                raise ValueError(f"the tag {key!r} has a character that AWS refuses (letters, digits, + - = . _ : / @)")
        return tags

    @property
    def stack_name(self) -> str:
        """The CloudFormation stack of this environment."""
        return self.named("payment-api")

    def named(self, part: str) -> str:
        """Return the physical name of a part: the environment is its suffix."""
        return f"{part}-{self.name}"

    @property
    def all_tags(self) -> dict[str, str]:
        """The tag set that is on everything that takes tags."""
        return {**self.tags, "Project": "payment-api", "Environment": self.name, "ManagedBy": "paycli"}


def _network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"{error}; write a network such as 203.0.113.0/24 or 2001:db8::/32") from None
    if network.prefixlen == 0:
        raise ValueError(f"{text} is every address; leave allowed_ips empty for that")
    return str(network)


def presets() -> dict[str, dict[str, Any]]:
    """Return the built-in environments as settings that differ from the defaults."""
    return {
        "local": {
            "target": "embedded",
            "region": "us-east-1",
            "deployment_mode": "express",
            "log_retention_days": 7,
        },
        "dev": {"deployment_mode": "express"},
        "prod": {
            "retain_data": True,
            "rollback_on_alarm": True,
            "rollback_monitoring_minutes": 5,
            "waf": True,
            "backup": True,
            "memory_mb": 1024,
            "log_retention_days": 400,
            "reserved_concurrency": {"validation": 200, "processing": 200, "health_monitor": 2},
            "alarms": {"errors": 1, "latency_p99_ms": 1000},
        },
    }
