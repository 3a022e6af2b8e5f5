"""Who may do what: every statement of every policy, by principal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from paycli.audit.conditions import Condition
from paycli.audit.model import Properties, Resource, Template, document, listed, mapping, mappings
from paycli.audit.readable import Names
from paycli.audit.surface import Route

# Kinds of principals, in the order in which a report shows them.
CALLER = "caller"  # of a route: what the surface says, seen from here
KINDS = (CALLER, "function", "role", "service", "account", "subscriber", "everyone", "other")
BOUND = "Bound"
EVERYONE = "everyone"
WHOLE_POLICY = "all of the policy "  # one that stands elsewhere; its name follows
BY_IAM = "this account through IAM"
SIGNED = "callers that IAM lets in"

# Where a resource says its own policy.
_RESOURCE_POLICIES = ("PolicyDocument", "KeyPolicy", "Policy", "AccessPolicy", "RepositoryPolicyText")
# What such a policy is for, where it is a resource of its own.
_SUBJECTS = ("Queues", "Topics", "Bucket", "SecretId", "FunctionName")
_IDENTITIES = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")
_ATTACHED_POLICIES = (
    "AWS::IAM::Policy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::UserPolicy",
    "AWS::IAM::GroupPolicy",
)
# Where such a policy says whose it is.
_HOLDERS = ("Roles", "Users", "Groups", "RoleName", "UserName", "GroupName")


@dataclass(frozen=True)
class Grant:
    """What a principal may do, or is denied, on these resources; `sources` are the logical IDs that say it."""

    kind: str
    principal: str
    effect: str  # Allow, Deny; or Bound, by a permissions boundary: what it doesn't allow is denied
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class _Principal:
    kind: str
    name: str


def access(template: Template, names: Names, routes: Sequence[Route]) -> tuple[Grant, ...]:
    """Return every grant of a template, by kind and principal; what says the same of several resources is one."""
    grants = [
        *_callers(routes),
        *_identity_grants(template, names),
        *_resource_grants(template, names),
        *_permissions(template, names),
        *_subscribers(template, names),
    ]
    return tuple(sorted(_merged(grants), key=lambda grant: (KINDS.index(grant.kind), grant.principal)))


def _merged(grants: Iterable[Grant]) -> list[Grant]:
    by_actions: dict[Any, Grant] = {}
    for grant in grants:
        key = (grant.principal, grant.effect, grant.actions, grant.conditions)
        known = by_actions.get(key, replace(grant, resources=(), sources=()))
        by_actions[key] = replace(
            known,
            resources=tuple(dict.fromkeys((*known.resources, *grant.resources))),
            sources=tuple(dict.fromkeys((*known.sources, *grant.sources))),
        )
    return list(by_actions.values())


def _callers(routes: Sequence[Route]) -> Iterator[Grant]:
    for route in routes:
        principal = SIGNED if route.by_iam else f"callers that {route.authorization} lets in"
        yield Grant(
            CALLER,
            EVERYONE if route.open else principal,
            "Allow",
            ("execute-api:Invoke",),
            (route.title,),
            (),
            (route.logical_id,),
        )


def _identity_grants(template: Template, names: Names) -> Iterator[Grant]:
    for policy in template.of_type(*_ATTACHED_POLICIES):
        for holder in _holders(template, names, policy):
            yield from _statements(names, policy.properties.get("PolicyDocument"), policy, holder)
    for identity in template.of_type(*_IDENTITIES):
        principal = _identity(template, names, identity)
        for boundary in listed(identity.properties.get("PermissionsBoundary")):
            bound = (f"the policy {names.text(boundary)}",)
            yield Grant(principal.kind, principal.name, BOUND, bound, ("*",), (), (identity.logical_id,))
        for inline in mappings(identity.properties.get("Policies")):
            yield from _statements(names, inline.get("PolicyDocument"), identity, principal)
        for arn in listed(identity.properties.get("ManagedPolicyArns")):
            if template.called(arn) is None:
                everything = (WHOLE_POLICY + names.text(arn).removeprefix("arn:aws:iam::aws:policy/"),)
                yield Grant(principal.kind, principal.name, "Allow", everything, ("*",), (), (identity.logical_id,))
        yield from _trust(names, identity)


def _holders(template: Template, names: Names, policy: Resource) -> list[_Principal]:
    """Return who has a policy: whom it names, and the identities that name it."""
    holders = []
    for named in (holder for key in _HOLDERS for holder in listed(policy.properties.get(key))):
        identity = template.called(named)
        outside = _Principal("other", f"{names.text(named)}, outside this template")
        holders.append(_identity(template, names, identity) if identity else outside)
    identities = list(template.of_type(*_IDENTITIES))
    holders += [
        _identity(template, names, identity)
        for identity in identities
        if any(template.called(arn) is policy for arn in listed(identity.properties.get("ManagedPolicyArns")))
    ]
    if not holders and any(
        template.called(held.properties.get("PermissionsBoundary")) is policy for held in identities
    ):
        return []  # a boundary allows nothing by itself
    return list(dict.fromkeys(holders)) or [_Principal("other", f"whoever gets the policy {names.of(policy)}")]


def _identity(template: Template, names: Names, identity: Resource) -> _Principal:
    """Return who acts with a role: the functions that have it, else the role itself."""
    functions = [
        names.of(function)
        for function in template.of_type("AWS::Lambda::Function", "AWS::Serverless::Function")
        if template.called(function.properties.get("Role")) is identity
    ]
    if functions:
        return _Principal("function", ", ".join(functions))
    word = identity.type.rpartition("::")[2].lower()
    return _Principal("role", f"{word} {names.of(identity)}")


def _trust(names: Names, role: Resource) -> Iterator[Grant]:
    for grant in _statements(names, role.properties.get("AssumeRolePolicyDocument"), role, None):
        yield replace(grant, resources=(f"role {names.of(role)}",))


def _resource_grants(template: Template, names: Names) -> Iterator[Grant]:
    for resource in template.resources.values():
        if resource.type in _ATTACHED_POLICIES:
            continue
        own = mapping(resource.properties.get("ResourcePolicy"))
        for said in (own.get("PolicyDocument"), *(resource.properties.get(name) for name in _RESOURCE_POLICIES)):
            for grant in _statements(names, said, resource, None):
                subjects = [name for key in _SUBJECTS for name in names.texts(resource.properties.get(key))]
                yield replace(grant, resources=_own(grant.resources, subjects or [names.of(resource)]))


def _own(said: Sequence[str], subjects: Sequence[str]) -> tuple[str, ...]:
    """In a resource's own policy `*` is the resource, and `execute-api:/` begins the API's own routes."""
    shown: list[str] = []
    for name in said:
        shown += subjects if name == "*" else [name.replace("execute-api:/", f"{subjects[0]}/", 1)]
    return tuple(dict.fromkeys(shown))


def _statements(names: Names, said: Any, source: Resource, holder: _Principal | None) -> Iterator[Grant]:
    """Give each statement of a document; `holder` is whose policy it is, else the statement names principals."""
    for statement in mappings(document(said).get("Statement")):
        for principal in [holder] if holder else _principals(names, statement):
            yield Grant(
                kind=principal.kind,
                principal=principal.name,
                effect=names.text(statement.get("Effect")),
                actions=_either(names, statement, "Action"),
                resources=_either(names, statement, "Resource"),
                conditions=_conditions(names, statement.get("Condition")),
                sources=(source.logical_id,),
            )


def _either(names: Names, statement: Properties, key: str) -> tuple[str, ...]:
    """Return the actions or resources of a statement, which may also say which it doesn't mean."""
    excluded = names.texts(statement.get(f"Not{key}"))
    return names.texts(statement.get(key)) or ((f"all but {', '.join(excluded)}",) if excluded else ())


def _principals(names: Names, statement: Properties) -> list[_Principal]:
    if "NotPrincipal" in statement:
        excluded = ", ".join(
            principal.name for principal in _principals(names, {"Principal": statement["NotPrincipal"]})
        )
        return [_Principal("everyone", f"everyone but {excluded}")]
    said = statement.get("Principal")
    if not isinstance(said, Mapping):
        return [_Principal("everyone", EVERYONE)] if said == "*" else []
    return [_principal(kind, name) for kind, value in said.items() for name in names.texts(value)]


def _principal(kind: str, name: str) -> _Principal:
    if name == "*":
        return _Principal("everyone", EVERYONE)
    if kind == "Service":
        return _Principal("service", name)
    if kind == "AWS" and name == "this account":
        return _Principal("account", BY_IAM)
    return _Principal("other", name)


def _conditions(names: Names, said: Any) -> tuple[Condition, ...]:
    return tuple(
        Condition(operator, key, names.texts(values))
        for operator, keys in mapping(said).items()
        for key, values in mapping(keys).items()
    )


# What a Lambda permission may say beside its principal, as conditions of the function's policy.
_PERMISSION_CONDITIONS = {
    "SourceArn": ("ArnLike", "aws:SourceArn"),
    "SourceAccount": ("StringEquals", "aws:SourceAccount"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
}


def _permissions(template: Template, names: Names) -> Iterator[Grant]:
    """Give the right to call a function, which services have by AWS::Lambda::Permission."""
    for permission in template.of_type("AWS::Lambda::Permission", "AWS::Lambda::LayerVersionPermission"):
        said = permission.properties
        named = names.text(said.get("Principal"))
        principal = _principal("Service" if "." in named else "AWS", named)
        conditions = [
            Condition(*meaning, names.texts(said[name]))
            for name, meaning in _PERMISSION_CONDITIONS.items()
            if name in said
        ]
        subject = said.get("FunctionName", said.get("LayerVersionArn"))
        yield Grant(
            principal.kind,
            principal.name,
            "Allow",
            names.texts(said.get("Action")),
            names.texts(subject),
            tuple(conditions),
            (permission.logical_id,),
        )


def _subscribers(template: Template, names: Names) -> Iterator[Grant]:
    """Give who receives what is published to a topic."""
    for topic in template.of_type("AWS::SNS::Topic"):
        for said in mappings(topic.properties.get("Subscription")):
            yield _subscriber(names, said, names.of(topic), topic)
    for subscription in template.of_type("AWS::SNS::Subscription"):
        said = subscription.properties
        yield _subscriber(names, said, names.text(said.get("TopicArn")), subscription)


def _subscriber(names: Names, said: Properties, topic: str, source: Resource) -> Grant:
    name = f"{names.text(said.get('Protocol'))} {names.text(said.get('Endpoint'))}"
    return Grant("subscriber", name, "Allow", ("sns:Receive",), (topic,), (), (source.logical_id,))
