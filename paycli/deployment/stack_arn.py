"""What a stack's ID tells: its name, where it is, and where the console shows it."""

from dataclasses import dataclass
from urllib.parse import quote

# https://docs.aws.amazon.com/general/latest/gr/rande.html has the partitions; each has a console of its own.
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "console.amazonaws-eusc.eu",
}
_EMULATED = "000000000000"  # the account of the embedded AWS; AWS gives no account that number


@dataclass(frozen=True)
class StackArn:
    """The parts of a stack's ID (its ARN)."""

    arn: str
    partition: str
    region: str
    account: str
    name: str

    @property
    def emulated(self) -> bool:
        """Whether the stack is on the embedded AWS."""
        return self.account == _EMULATED

    @property
    def console(self) -> str:
        """The URL of the stack's events in the console, empty where there is none: on an emulator, or in secret."""
        domain = _CONSOLES.get(self.partition)
        if domain is None or self.emulated:
            return ""
        place = f"https://{self.region}.{domain}/cloudformation/home?region={self.region}"
        return f"{place}#/stacks/events?stackId={quote(self.arn, safe='')}"


def parse(stack_id: str) -> StackArn:
    """Read arn:PARTITION:cloudformation:REGION:ACCOUNT:stack/NAME/UUID."""
    _, partition, _, region, account, path = stack_id.split(":", 5)
    return StackArn(stack_id, partition, region, account, path.split("/")[1])
