"""The one place that makes boto3 clients."""

import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from paycli.errors import ConfigurationError
from paycli.text import redacted

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from botocore.credentials import Credentials

    from paycli.environment import Environment

# What the embedded AWS accepts as its root user.
EMBEDDED_KEY = "test"
EMBEDDED_REGION = "us-east-1"


@dataclass(frozen=True)
class Aws:
    """An account and a region to talk to; each client is made when it is first needed."""

    session: "boto3.Session"
    region: str
    endpoint_url: str | None
    _made: dict[tuple[str, bool], Any] = field(default_factory=dict, repr=False)
    _making: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def client(self, service: str, *, hurried: bool = False) -> Any:
        """Return the boto3 client of `service` (thread-safe; one a service).

        A hurried one is for what may be left undone: it tries once, for 1 s to connect and 2 s to be answered.
        """
        from botocore.config import Config

        from paycli.foreign_answers import refuse_pages

        with self._making:  # boto3's sessions aren't thread-safe, its clients are
            if (service, hurried) not in self._made:
                options: dict[str, Any] = {
                    "retries": {"mode": "standard", "total_max_attempts": 1 if hurried else 5},
                    **({"connect_timeout": 1, "read_timeout": 2} if hurried else {"connect_timeout": 5}),
                }
                if self.endpoint_url:
                    options["proxies"] = {}  # the embedded AWS is on this machine, whatever HTTP_PROXY says
                client = self._made_client(service, Config(**options))
                refuse_pages(client)
                self._made[service, hurried] = client
            return self._made[service, hurried]

    def _made_client(self, service: str, config: "Config") -> Any:
        try:
            return self.session.client(service, region_name=self.region, endpoint_url=self.endpoint_url, config=config)
        except ValueError as error:
            if "Invalid endpoint" not in str(error):
                raise
            raise ConfigurationError(
                redacted(f"An endpoint of AWS is no URL: {error}"),
                hint="Correct or unset AWS_ENDPOINT_URL, or that of the service (AWS_ENDPOINT_URL_...).",
                code="bad_endpoint",
            ) from None

    def credentials(self) -> "Credentials":
        """Return the credentials that requests are signed with."""
        credentials = self.session.get_credentials()
        if credentials is None:
            from botocore.exceptions import NoCredentialsError

            raise NoCredentialsError
        return credentials


def connect(environment: "Environment", endpoint_url: str | None = None) -> Aws:
    """Return the AWS of an environment; `endpoint_url` is where the embedded one answers.

    On AWS the standard variables and files decide, as in every boto3 tool. Raises
    ConfigurationError where no region is set.
    """
    if environment.target == "embedded":
        return Aws(_embedded_session(), environment.region or EMBEDDED_REGION, endpoint_url)
    session = session_of(environment.profile)
    region = environment.region or os.environ.get("AWS_REGION") or session.region_name
    if not region:
        raise ConfigurationError(
            "No AWS region is set.",
            hint=f'Set AWS_REGION, or `region = "eu-west-1"` under [env.{environment.name}] in paycli.toml.',
            code="region_missing",
        )
    return Aws(session, region, None)


def session_of(profile: str | None) -> "boto3.Session":
    """Return the session of an AWS profile; without one, that which the standard variables and files choose."""
    import boto3
    import botocore.session

    from paycli.hastening import hasten

    core = botocore.session.Session()
    session = boto3.Session(botocore_session=core, profile_name=profile)
    hasten(core)
    return session


def _embedded_session() -> "boto3.Session":
    """Return a session that neither AWS_PROFILE nor the caller's files can change."""
    import boto3
    import botocore.session

    from paycli.hastening import hasten

    nothing = (None, None, None, None)
    core = botocore.session.Session(session_vars={"profile": nothing})
    core.set_config_variable("config_file", os.devnull)
    core.set_config_variable("credentials_file", os.devnull)
    hasten(core)
    return boto3.Session(botocore_session=core, aws_access_key_id=EMBEDDED_KEY, aws_secret_access_key=EMBEDDED_KEY)


@dataclass(frozen=True)
class Caller:
    """Whose credentials these are."""

    account: str
    arn: str
    place: str  # in words: what the user is about to change


def check_caller(aws: Aws, environment: "Environment") -> Caller:
    """Return who calls (one call), or raise ConfigurationError where the environment names another account."""
    identity = aws.client("sts").get_caller_identity()
    caller = Caller(identity["Account"], identity["Arn"], _place(aws, identity["Account"]))
    if environment.account_id not in (None, caller.account):
        raise ConfigurationError(
            f"The credentials belong to account {caller.account}, but environment {environment.name!r} "
            f"is for {environment.account_id}. Nothing was changed.",
            hint="Choose another profile (AWS_PROFILE), or correct account_id in paycli.toml.",
            code="wrong_account",
        )
    return caller


def _place(aws: Aws, account: str) -> str:
    """Say where calls go; AWS_ENDPOINT_URL may lead them away from AWS."""
    if aws.endpoint_url:
        return "the embedded AWS"
    elsewhere = os.environ.get("AWS_ENDPOINT_URL")
    return f"account {account}, {aws.region}{redacted(f', through AWS_ENDPOINT_URL={elsewhere}') if elsewhere else ''}"
