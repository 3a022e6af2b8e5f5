"""A reason of CloudFormation in plain words, with what to do about it."""

import re
import shlex
from dataclasses import dataclass, replace

from paycli.aws_errors import denial
from paycli.deployment.failure.rule import BOOTSTRAP, OF_BOOTSTRAP
from paycli.deployment.failure.rules import RULES


@dataclass(frozen=True)
class Explanation:
    """What a reason means: `kind` is stable, for programs; `summary` ends the sentence "X could not be created:"."""

    kind: str
    summary: str
    text: str
    hint: str


def explain(
    reason: str, resource_type: str, logical_id: str, *, name: str = "", stack: str = "", status: str = ""
) -> Explanation | None:
    """Return what the reason means, or None where it is none of the frequent ones.

    `name` is the resource's own, as far as it is known, `stack` the name of its stack; `status` is what failed.
    """
    bootstrap = stack == BOOTSTRAP
    key = _KEY.search(reason)
    words = {
        "logical_id": logical_id,
        "name": shlex.quote(name or "NAME"),
        "env": _environment(stack),
        "key": key[0] if key else shlex.quote(name) if name and resource_type == "AWS::KMS::Key" else "KEY-ID",
    }
    denied = _denied(reason)
    named = bool(denied and denied.summary != _UNNAMED)
    for rule in RULES:
        fits = rule.fits(resource_type, status=status, bootstrap=bootstrap) and not (rule.vague and named)
        if found := rule.pattern.search(reason) if fits else None:
            hint = rule.hint if name or not rule.unnamed else rule.unnamed
            said = (part.format(**words, **found.groupdict()) for part in (rule.summary, rule.text, hint))
            return Explanation(rule.kind, *said)
    if denied is None:
        return None
    if bootstrap:
        return replace(denied, text=OF_BOOTSTRAP, hint=f"{denied.hint} {_policy('--for bootstrap')} what it needs.")
    if denied.hint.endswith("."):  # and not with a command
        return replace(denied, hint=f"{denied.hint} {_policy('--env ' + words['env'])} all that a deploy needs.")
    return denied


# https://docs.aws.amazon.com/kms/latest/developerguide/find-cmk-id-arn.html
_KEY = re.compile(
    r"arn:aws[\w-]*:kms:[\w:-]+:key/[\w-]+|\b(?:mrk-)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b(?= is )"
)
_UNNAMED = "a permission is missing"


def _environment(stack: str) -> str:
    """Return the name of a payment stack's environment, for a command to copy."""
    return shlex.quote(stack.removeprefix("payment-api-") if stack.startswith("payment-api-") else "ENV")


def _policy(options: str) -> str:
    return f"`paycli config deployer-policy {options}` prints"


def _denied(reason: str) -> Explanation | None:
    refused = denial(reason)
    if refused is None and not re.search(r"HandlerErrorCode: AccessDenied|Access ?Denied", reason):
        return None
    text = "CloudFormation works with the rights of `cloudformation_role`, where it is set, else with the caller's."
    if refused is None:
        hint = "CloudTrail names the call that was refused, and the policy that decided it."
        summary = "a policy denies it" if "explicit deny" in reason else _UNNAMED
        return Explanation("access_denied", summary, text, hint)
    if refused.explicit:
        return Explanation("access_denied", f"{refused.action} is denied", text, refused.hint)
    if refused.because:
        return Explanation("access_denied", f"AWS refuses {refused.action}", text, refused.hint)
    summary = f"the permission {refused.action} is missing" if refused.action else _UNNAMED
    return Explanation("access_denied", summary, text, refused.hint)
