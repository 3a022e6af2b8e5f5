"""The IAM policies by which somebody, or a pipeline, may deploy one environment, and nothing else.

Two shapes. Without a service role, CloudFormation acts with the deployer's rights (a forward access session), so the
deployer needs all that the stack is made of, but only through CloudFormation (aws:CalledVia). With one
(`cloudformation_role`), the role has these rights, and the deployer may pass it on to CloudFormation.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/fas-requests-and-permission-evaluation.html
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from paycli.deployment.rights.arns import ANY, Made, Place
from paycli.deployment.rights.calls import (
    ARTIFACTS,
    BOOTSTRAP_CALLS,
    CALLS,
    IMPORT_CALLS,
    KEPT_CALLS,
    KEPT_MESSAGES_CALLS,
    KEPT_TYPES,
    RECEIVED_MESSAGES_CALLS,
    SMOKE_CALLS,
    VAULT_CALLS,
)
from paycli.deployment.rights.resources import RIGHTS, ROLES, Right, Subject
from paycli.deployment.rights.roles import attachable, trusted_services
from paycli.deployment.rights.statements import Document, Statement, allow, characters, document, split
from paycli.environment import Environment
from paycli.stack import build
from paycli.stack.bootstrap import BOOTSTRAP_STACK, build_bootstrap

__all__ = ["ANY", "POLICIES", "Document", "Place", "characters", "explained", "split"]

_CLOUDFORMATION = "cloudformation.amazonaws.com"
_READS = ("Describe", "Get", "List")  # how the names of actions begin that change nothing
_CALL, _MAKE = "Call", "Make"  # who uses a statement: paycli itself, or CloudFormation
_THROUGH_CLOUDFORMATION = {"ForAnyValue:StringEquals": {"aws:CalledVia": _CLOUDFORMATION}}


def deployer(environment: Environment, place: Place) -> Document:
    """Return what whoever runs `paycli deploy`, `rollback`, `status`, `outputs` and `teardown` needs."""
    made = _made(environment)
    calls = (*CALLS, *(KEPT_CALLS if environment.retain_data else VAULT_CALLS))
    own = _statements(_CALL, calls, made, place, {})
    if environment.cloudformation_role:
        pass_on = {"StringEquals": {"iam:PassedToService": _CLOUDFORMATION}}
        return document([*own, allow("ServiceRole", ["iam:PassRole"], [environment.cloudformation_role], pass_on)])
    return document([*own, *_of_resources(environment, made, place, _THROUGH_CLOUDFORMATION)])


def smoke_test(environment: Environment, place: Place) -> Document:
    """Return what whoever runs `paycli smoke-test`, or `deploy --smoke-test`, needs (besides)."""
    of_queue = KEPT_MESSAGES_CALLS if environment.retain_data else RECEIVED_MESSAGES_CALLS
    return document(_statements(_CALL, (*SMOKE_CALLS, *of_queue), _made(environment), place, {}))


def service_role(environment: Environment, place: Place) -> Document:
    """Return what the role needs that CloudFormation assumes."""
    made = _made(environment)
    code = _statements(_MAKE, [Right(ARTIFACTS, "s3", "GetObject")], made, place, {})
    return document([*code, *_of_resources(environment, made, place, {})])


def service_role_trust(_environment: Environment, _place: Place) -> Document:
    """Return the trust policy of that role.

    It needs no source account: a role can only be passed on in its own account.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    principal = {"Service": _CLOUDFORMATION}
    return document([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}])


def bootstrap(environment: Environment, place: Place) -> Document:
    """Return what the first deploy of an account and region needs besides: it makes `paycli-bootstrap`."""
    template = build_bootstrap(retain=True, tls_only=True, log_role=True).to_dict()
    made = Made(BOOTSTRAP_STACK, template["Resources"], environment.name)
    unbounded = environment.model_copy(update={"permissions_boundary": None})  # the gateway's log role is nobody's code
    own = _statements(_CALL, BOOTSTRAP_CALLS, made, place, {})
    return document([*own, *_of_resources(unbounded, made, place, _THROUGH_CLOUDFORMATION)])


def importer(environment: Environment, place: Place) -> Document:
    """Return what the deployer needs besides, for the deploy that imports what a teardown has kept.

    The deployer's policy imports no key: whoever may, can take any key of the account for this environment's own. An
    import takes no service role, so who has one needs the rights to read what is imported.
    """
    made = _made(environment)
    own = _statements(_CALL, IMPORT_CALLS, made, place, {})
    if not environment.cloudformation_role:
        return document(own)
    reads = (_reading(right) for name in KEPT_TYPES for right in RIGHTS[name] if not right.via)
    return document([*own, *_statements(_MAKE, filter(_is_any, reads), made, place, _THROUGH_CLOUDFORMATION)])


def _reading(right: Right) -> Right:
    """Return what of a right only reads."""
    return replace(right, names=" ".join(name for name in right.names.split() if name.startswith(_READS)))


def _is_any(right: Right) -> bool:
    return bool(right.names)


def boundary(environment: Environment, _place: Place) -> Document:
    """Return a permissions boundary: the most that any role of the stack may ever do."""
    policies = [properties["PolicyDocument"] for _, properties in _made(environment).of_type("AWS::IAM::ManagedPolicy")]
    actions = {action for policy in policies for statement in policy["Statement"] for action in statement["Action"]}
    return document([allow("AtMost", actions, [ANY], {})])


POLICIES: dict[str, Callable[[Environment, Place], Document]] = {
    "deployer": deployer,
    "smoke-test": smoke_test,
    "role": service_role,
    "trust": service_role_trust,
    "bootstrap": bootstrap,
    "import": importer,
    "boundary": boundary,
}


def explained(policy: Document) -> dict[str, str]:
    """Return, by Sid, why a statement names more than resources of the stack."""
    every = [*CALLS, *SMOKE_CALLS, *RECEIVED_MESSAGES_CALLS, *KEPT_CALLS, *VAULT_CALLS, *BOOTSTRAP_CALLS]
    every += [right for rights in RIGHTS.values() for right in rights]
    reasons = {f"{prefix}{right.sid}": right.subject.why for right in every for prefix in (_CALL, _MAKE)}
    sids = [statement.get("Sid", "") for statement in policy["Statement"]]
    return {sid: reasons[sid] for sid in sids if reasons.get(sid)}


def _made(environment: Environment) -> Made:
    return Made(environment.stack_name, build(environment).to_dict()["Resources"], environment.name)


def _of_resources(environment: Environment, made: Made, place: Place, condition: dict[str, Any]) -> Iterator[Statement]:
    """Give what CloudFormation needs for the types of the template."""
    types = sorted({resource["Type"] for resource in made.resources.values()})
    yield from _statements(_MAKE, (right for name in types for right in RIGHTS[name]), made, place, condition)
    yield from _of_roles(environment.permissions_boundary, made, place, condition)


def _of_roles(bounded_by: str | None, made: Made, place: Place, condition: dict[str, Any]) -> Iterator[Statement]:
    """Give what makes roles: with the template's policies alone, and within the boundary where there is one."""
    roles = _arns(ROLES, made, place)
    bounds = {"StringEquals": {"iam:PermissionsBoundary": bounded_by}} if bounded_by else {}
    makes = ["iam:CreateRole", *(["iam:PutRolePermissionsBoundary"] if bounded_by else [])]
    if any("Policies" in role for _, role in made.of_type(ROLES.type)):
        makes += ["iam:DeleteRolePolicy", "iam:PutRolePolicy"]
    yield allow("CreateRoles", makes, roles, {**condition, **bounds})
    policies = sorted(_filled(arn, made, place) for arn in attachable(made))
    own = {"ArnLike": {"iam:PolicyARN": policies}}
    yield allow(
        "AttachPolicies", ["iam:AttachRolePolicy", "iam:DetachRolePolicy"], roles, {**condition, **bounds, **own}
    )
    # Not bound to CloudFormation: who can make no function cannot pass a role to one either.
    for service, titles in trusted_services(made).items():
        passed = made._replace(resources={title: made.resources[title] for title in titles})
        to = {"StringEquals": {"iam:PassedToService": service}}
        yield allow(f"PassTo{service.split('.')[0].title()}", ["iam:PassRole"], _arns(ROLES, passed, place), to)


def _statements(
    prefix: str, rights: Iterable[Right], made: Made, place: Place, condition: dict[str, Any]
) -> list[Statement]:
    """Return the rights as statements, one a subject and what is demanded of it."""
    together: dict[str, list[Right]] = {}
    for right in rights:
        if _arns(right.subject, made, place):  # else the template makes none
            together.setdefault(right.sid, []).append(right)
    return [
        allow(
            f"{prefix}{sid}",
            [action for right in group for action in right.actions],
            _arns(group[0].subject, made, place),
            {**condition, **_condition(group[0], made, place)},
        )
        for sid, group in together.items()
    ]


def _condition(right: Right, made: Made, place: Place) -> dict[str, Any]:
    equals: dict[str, str] = {}
    if right.tagged:
        key = "aws:RequestTag" if right.tagged == "request" else "aws:ResourceTag"
        equals = {f"{key}/Environment": made.environment, f"{key}/ManagedBy": "paycli"}
    if right.for_service:
        equals = {"iam:AWSServiceName": right.for_service}
    condition: dict[str, Any] = {**right.condition, **({"StringEquals": equals} if equals else {})}
    if right.via:
        condition["StringLike"] = {"kms:ViaService": [f"{service}.{place.region}.*" for service in right.via]}
    return condition


def _arns(subject: Subject, made: Made, place: Place) -> list[str]:
    names = made.names(subject.type, subject.named_by) if subject.type else [""]
    return [_filled(arn, made, place, name) for arn in subject.arns for name in names]


def _filled(arn: str, made: Made, place: Place, name: str = "") -> str:
    return arn.format(**place._asdict(), stack=made.stack, environment=made.environment, name=name)
