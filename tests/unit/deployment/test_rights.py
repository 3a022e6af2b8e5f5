"""The policies for deploying: complete for every type of the template, valid, within IAM's limits, and no wider."""

import itertools
import json
import re
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from hypothesis import given, settings
from hypothesis import strategies as st

from paycli.deployment import rights
from paycli.deployment.rights.arns import Made
from paycli.deployment.rights.calls import BOOTSTRAP_CALLS, CALLS, KEPT_CALLS
from paycli.deployment.rights.resources import RIGHTS
from paycli.deployment.rights.roles import attachable
from paycli.deployment.rights.statements import LIMIT, allow, document
from paycli.environment import Environment, presets
from paycli.stack import build
from paycli.stack.bootstrap import build_bootstrap
from paycli.stack.names import METRIC_NAMESPACE
from paycli.stack.retention import DATA_TYPES

PLACE = rights.Place("aws", "eu-central-1", "111111111111")
ANYWHERE = rights.Place("aws", rights.ANY, rights.ANY)
SERVICE_ROLE = "arn:aws:iam::111111111111:role/paycli-prod"
BOUNDARY = "arn:aws:iam::111111111111:policy/bound"
THROUGH_CLOUDFORMATION = {"aws:CalledVia": "cloudformation.amazonaws.com"}

Statement = dict[str, Any]


def environment(name: str = "prod", **settings: Any) -> Environment:
    return Environment(name=name, **{**presets().get(name, {}), **settings})


VARIANTS = {
    "dev": environment("dev"),
    "prod": environment(),
    "local": environment("local"),
    "open": environment("open", authorization="none", retain_data=True, alarms={"email": "a@bank.example"}),
    "passing": environment("passing", backup=True, waf=True, allowed_ips=["203.0.113.0/24"]),
    "role": environment(cloudformation_role=SERVICE_ROLE),
    "bounded": environment(permissions_boundary=BOUNDARY),
}


def statements(kind: str, variant: str = "prod", place: rights.Place = PLACE) -> dict[str, Statement]:
    """Return a policy's statements by Sid."""
    policy = rights.POLICIES[kind](VARIANTS[variant], place)
    return {statement["Sid"]: statement for statement in policy["Statement"]}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_type_of_the_template_has_its_rights(variant: str) -> None:
    """A new type in paycli/stack/ needs an entry in RIGHTS: the actions of its schema's handlers."""
    types = {resource["Type"] for resource in build(VARIANTS[variant]).to_dict()["Resources"].values()}
    assert types <= set(RIGHTS)


def test_every_type_of_the_bootstrap_has_its_rights() -> None:
    template = build_bootstrap(retain=True, tls_only=True, log_role=True).to_dict()
    assert {resource["Type"] for resource in template["Resources"].values()} <= set(RIGHTS)


def findings(policies: dict[str, rights.Document]) -> list[str]:
    """Return what cfn-lint says of the documents as managed policies: unknown actions, ARNs of the wrong type."""
    resources = {
        name: {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": policy}}
        for name, policy in policies.items()
    }
    template = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})
    matches = lint(template, config=ManualArgs(include_checks=["I"], regions=["eu-central-1"]))
    said = [f"{match.path}: {match.rule.id} {match.message}" for match in matches]
    return [finding for finding in said if "${Vendor}" not in finding]  # no ARN of a recovery point suits cfn-lint


def test_cfn_lint_knows_every_action_and_its_resources() -> None:
    policies = {
        f"{kind}{variant}{number}{where}".title().replace("-", ""): part
        for kind in ("deployer", "smoke-test", "bootstrap", "role", "boundary")
        for variant in ("open", "bounded", "role", "passing")
        for where, place in enumerate((PLACE, ANYWHERE))
        for number, part in enumerate(rights.split(rights.POLICIES[kind](VARIANTS[variant], place)))
    }
    assert findings(policies) == []


def test_cfn_lint_knows_the_rights_of_types_that_no_template_has_yet() -> None:
    made = {
        name.replace("::", ""): document(
            allow(
                f"S{number}",
                right.actions,
                [arn.format(**PLACE._asdict(), **FILLED) for arn in right.subject.arns],
                {},
            )
            for number, right in enumerate(entry)
        )
        for name, entry in RIGHTS.items()
    }
    assert findings(made) == []
    assert {"AWSWAFv2WebACL", "AWSBackupBackupSelection", "AWSLogsResourcePolicy"} <= set(made)


FILLED = {"stack": "payment-api-prod", "environment": "prod", "name": "a"}


@pytest.mark.parametrize("place", [PLACE, ANYWHERE], ids=["known", "anywhere"])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", rights.POLICIES)
def test_a_policy_fits_into_managed_policies(kind: str, variant: str, place: rights.Place) -> None:
    policy = rights.POLICIES[kind](VARIANTS[variant], place)
    parts = rights.split(policy)
    assert [statement for part in parts for statement in part["Statement"]] == policy["Statement"]
    assert all(rights.characters(part) <= LIMIT for part in parts)
    assert len(parts) <= 10  # that many a role holds by default
    sids = [statement["Sid"] for statement in policy["Statement"] if "Sid" in statement]
    assert len(set(sids)) == len(sids)
    assert all(re.fullmatch("[A-Za-z0-9]+", sid) for sid in sids)


@settings(deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=60))
def test_a_split_keeps_the_order_and_fills_each_part(sizes: list[int]) -> None:
    policy = document(
        allow(f"S{number}", [f"sqs:Action{n}" for n in range(size)], ["*"], {}) for number, size in enumerate(sizes)
    )
    parts = rights.split(policy)
    assert [statement for part in parts for statement in part["Statement"]] == policy["Statement"]
    assert all(rights.characters(part) <= LIMIT for part in parts)
    for part, following in itertools.pairwise(parts):
        one_more = document([*part["Statement"], following["Statement"][0]])
        assert rights.characters(one_more) > LIMIT


@pytest.mark.parametrize("kind", ["deployer", "smoke-test", "bootstrap", "import", "role"])
def test_no_action_is_a_wildcard_and_every_wide_resource_is_explained(kind: str) -> None:
    policy = rights.POLICIES[kind](VARIANTS["open"], PLACE)
    explained = rights.explained(policy)
    for statement in policy["Statement"]:
        assert not [action for action in statement["Action"] if "*" in action]
        wide = [arn for arn in statement["Resource"] if "*" in re.sub(OWN, "", arn)]
        assert not wide or len(explained[statement["Sid"]]) > 20, (statement["Sid"], wide)
    assert set(explained) <= {statement["Sid"] for statement in policy["Statement"]}


# The random ends of names that CloudFormation makes up, an API's execution log, streams, and a stack's id.
OWN = r"(-[A-Za-z]+(Role|Policy)-\*|Logs_\*/v1|:\*|stack/[a-z-]+/\*)(:\*)?$"


def test_who_has_no_service_role_may_use_the_rights_through_cloudformation_alone() -> None:
    found = statements("deployer")
    own = {sid for sid, statement in found.items() if sid.startswith("Call")}
    passing = {sid for sid in found if sid.startswith("Pass")}
    for sid, statement in found.items():
        through = statement.get("Condition", {}).get("ForAnyValue:StringEquals") == THROUGH_CLOUDFORMATION
        assert through == (sid not in own | passing), sid
    assert {action for sid in own for action in found[sid]["Action"]} == {
        action for right in (*CALLS, *KEPT_CALLS) for action in right.actions
    }


def test_who_deploys_writes_no_metric_that_an_alarm_or_the_health_monitor_reads() -> None:
    found = statements("deployer")
    writes = {sid for sid, statement in found.items() if "cloudwatch:PutMetricData" in statement["Action"]}
    assert writes == {"CallMarks"}
    (namespace,) = found["CallMarks"]["Condition"]["StringEquals"].values()
    assert found["CallMarks"]["Condition"] == {"StringEquals": {"cloudwatch:namespace": namespace}}
    watched = json.dumps(
        [
            resource
            for resource in build(VARIANTS["prod"]).to_dict()["Resources"].values()
            if resource["Type"] in {"AWS::CloudWatch::Alarm", "AWS::Lambda::Function"}
        ]
    )
    assert f'"{METRIC_NAMESPACE}"' in watched
    assert namespace not in watched


PAYMENTS = {"dynamodb:DeleteItem", "dynamodb:GetItem", "sqs:DeleteMessage", "sqs:ReceiveMessage"}


def actions(kind: str, variant: str) -> set[str]:
    return {action for statement in statements(kind, variant).values() for action in statement["Action"]}


@pytest.mark.parametrize("variant", VARIANTS)
def test_who_only_deploys_reads_and_deletes_no_payment(variant: str) -> None:
    for kind in ("deployer", "role", "bootstrap"):
        assert not actions(kind, variant) & PAYMENTS, kind


def test_the_smoke_test_takes_messages_only_where_they_are_not_kept() -> None:
    assert actions("smoke-test", "dev") >= PAYMENTS
    assert actions("smoke-test", "prod") & PAYMENTS == {"dynamodb:DeleteItem", "dynamodb:GetItem"}
    keys = {statement["Sid"] for statement in statements("smoke-test").values() if "kms:Decrypt" in statement["Action"]}
    assert keys == {"CallKeysDynamodb"}


def test_where_nothing_is_kept_nobody_looks_for_it() -> None:
    actions = {action for statement in statements("deployer", "dev").values() for action in statement["Action"]}
    assert not actions & {"sqs:GetQueueUrl"} - {
        action for right in RIGHTS["AWS::SQS::Queue"] for action in right.actions
    }
    assert "CallKeys" not in statements("deployer", "dev")
    assert statements("deployer")["CallKeys"]["Action"] == ["kms:DescribeKey", "kms:ListResourceTags"]


def test_the_import_of_a_key_is_a_policy_of_its_own() -> None:
    (create,) = statements("import").values()
    assert create["Action"] == ["cloudformation:CreateChangeSet"]
    assert create["Resource"] == ["arn:aws:cloudformation:eu-central-1:111111111111:stack/payment-api-prod/*"]
    types = create["Condition"]["ForAllValues:StringEquals"]["cloudformation:ImportResourceTypes"]
    assert set(types) == DATA_TYPES - {"AWS::Backup::BackupVault"}


def test_who_has_a_service_role_may_read_what_is_imported_and_only_that() -> None:
    """An import takes no service role: CloudFormation reads with the rights of who asks for it."""
    made = statements("import", "role")
    made.pop("CallChangeSets")
    for statement in made.values():
        assert statement["Condition"]["ForAnyValue:StringEquals"] == THROUGH_CLOUDFORMATION
        assert all(re.match(r"\w+:(Describe|Get|List)", action) for action in statement["Action"])
    actions = {action for statement in made.values() for action in statement["Action"]}
    assert actions >= {"dynamodb:DescribeTable", "kms:GetKeyPolicy", "logs:DescribeLogGroups", "sqs:GetQueueAttributes"}


def test_with_a_service_role_the_deployer_may_only_pass_it_on() -> None:
    found = statements("deployer", "role")
    others = {sid: statement for sid, statement in found.items() if not sid.startswith("Call")}
    assert others == {
        "ServiceRole": {
            "Sid": "ServiceRole",
            "Effect": "Allow",
            "Action": ["iam:PassRole"],
            "Resource": [SERVICE_ROLE],
            "Condition": {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
        }
    }


def test_the_service_role_has_what_the_deployer_is_spared() -> None:
    """The same actions on the same resources, asked for by CloudFormation itself; and the package it reads."""
    role = statements("role", "role")
    assert all("ForAnyValue:StringEquals" not in statement.get("Condition", {}) for statement in role.values())
    spared = {sid: one for sid, one in statements("deployer").items() if not sid.startswith("Call")}
    assert {sid: (one["Action"], one["Resource"]) for sid, one in role.items() if sid != "MakeArtifacts"} == {
        sid: (one["Action"], one["Resource"]) for sid, one in spared.items()
    }
    assert role["MakeArtifacts"]["Action"] == ["s3:GetObject"]
    (trust,) = rights.POLICIES["trust"](VARIANTS["role"], PLACE)["Statement"]
    assert trust["Principal"] == {"Service": "cloudformation.amazonaws.com"}


@pytest.mark.parametrize("kind", ["deployer", "role"])
def test_it_names_no_other_environment(kind: str) -> None:
    text = json.dumps(list(statements(kind, "dev").values()))
    assert "transactions-dev" in text
    assert "payment-api-dev/" in text
    assert "prod" not in text
    assert "dev-*" not in re.sub(r"payment-api-dev-[A-Za-z]+-\*", "", text)


@pytest.mark.parametrize(
    ("sid", "tag"),
    [
        ("MakeApisTagged", "aws:ResourceTag"),
        ("MakeNewApisTagging", "aws:RequestTag"),
        ("MakeKeysTagging", "aws:RequestTag"),
        ("MakeKeysTagged", "aws:ResourceTag"),
        ("MakeNewKeysTagging", "aws:RequestTag"),
    ],
)
def test_what_has_no_name_is_told_by_its_tag(sid: str, tag: str) -> None:
    equals = statements("deployer")[sid]["Condition"]["StringEquals"]
    assert equals == {f"{tag}/Environment": "prod", f"{tag}/ManagedBy": "paycli"}


def test_a_key_that_is_there_is_only_changed_by_its_tag() -> None:
    """PutKeyPolicy and TagResource on what somebody else has tagged would be the way to any key."""
    found = statements("deployer")
    dangerous = {"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:TagResource"}
    for sid, statement in found.items():
        if dangerous & set(statement["Action"]):
            assert any("Tag/Environment" in key for key in statement["Condition"]["StringEquals"]), sid
    create = found["CallChangeSets"]
    assert create["Action"] == ["cloudformation:CreateChangeSet"]
    assert create["Condition"]["ForAllValues:StringNotEquals"] == {
        "cloudformation:ImportResourceTypes": ["AWS::KMS::Key"]
    }


def test_a_role_gets_the_policies_of_the_template_alone_and_goes_to_whom_it_trusts() -> None:
    found = statements("deployer")
    attached = found["AttachPolicies"]["Condition"]["ArnLike"]["iam:PolicyARN"]
    assert attached == [
        f"arn:aws:iam::111111111111:policy/payment-api-prod-{name}Policy-*"
        for name in ("Backup", "HealthMonitor", "Processing", "Validation")
    ]
    passed = {sid: statement["Condition"] for sid, statement in found.items() if "iam:PassRole" in statement["Action"]}
    assert passed == {
        f"PassTo{service.title()}": {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
        for service in ("lambda", "backup")
    }
    assert found["PassToBackup"]["Resource"] == ["arn:aws:iam::111111111111:role/payment-api-prod-BackupRole-*"]
    bootstrap = statements("bootstrap")
    assert bootstrap["AttachPolicies"]["Condition"]["ArnLike"]["iam:PolicyARN"] == [
        "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    ]
    assert bootstrap["PassToApigateway"]["Resource"] == [
        "arn:aws:iam::111111111111:role/paycli-bootstrap-ApiGatewayLogRole-*"
    ]
    called = {action for sid, one in bootstrap.items() if sid.startswith("Call") for action in one["Action"]}
    assert called == {action for right in BOOTSTRAP_CALLS for action in right.actions}


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_policy_that_a_role_of_the_template_has_may_be_attached(variant: str) -> None:
    resources = build(VARIANTS[variant]).to_dict()["Resources"]
    made = Made("payment-api-x", resources, "x")
    wanted = {
        json.dumps(policy) for _, role in made.of_type("AWS::IAM::Role") for policy in role.get("ManagedPolicyArns", [])
    }
    assert len(set(attachable(made))) == len(wanted)


def test_a_boundary_is_demanded_of_every_role_that_is_made() -> None:
    found = statements("deployer", "bounded")
    for sid in ("CreateRoles", "AttachPolicies"):
        assert found[sid]["Condition"]["StringEquals"] == {"iam:PermissionsBoundary": BOUNDARY}
    assert "iam:PutRolePermissionsBoundary" in found["CreateRoles"]["Action"]
    every = {action for statement in found.values() for action in statement["Action"]}
    assert "iam:DeleteRolePermissionsBoundary" not in every
    roles = Made("", build(VARIANTS["bounded"]).to_dict()["Resources"], "").of_type("AWS::IAM::Role")
    assert {role["PermissionsBoundary"] for _, role in roles} == {BOUNDARY}
    unbounded = Made("", build(VARIANTS["prod"]).to_dict()["Resources"], "").of_type("AWS::IAM::Role")
    assert all("PermissionsBoundary" not in role for _, role in unbounded)
    # The gateway's log role is AWS's own policy and nobody's code.
    assert BOUNDARY not in json.dumps(rights.POLICIES["bootstrap"](VARIANTS["bounded"], PLACE))


def test_the_boundary_has_what_the_functions_have_and_no_more() -> None:
    (most,) = statements("boundary").values()
    resources = build(VARIANTS["prod"]).to_dict()["Resources"].values()
    given = {
        action
        for resource in resources
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
        for action in statement["Action"]
    }
    assert set(most["Action"]) == given
    assert not [action for action in most["Action"] if action.startswith(("iam:", "sts:"))]


def test_roles_with_policies_of_their_own_may_be_made_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a template could have them: an inline policy, another service, policies of AWS."""
    template = build(VARIANTS["prod"]).to_dict()
    role = {
        "RoleName": "states-prod",
        "AssumeRolePolicyDocument": {"Statement": [{"Principal": {"Service": "states.amazonaws.com"}}]},
        "ManagedPolicyArns": [
            {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"},
            "arn:${AWS::Partition}:iam::aws:policy/ReadOnlyAccess",
        ],
        "Policies": [{"PolicyName": "own", "PolicyDocument": {}}],
    }
    template["Resources"]["StatesRole"] = {"Type": "AWS::IAM::Role", "Properties": role}

    class Template:
        def to_dict(self) -> dict[str, Any]:
            return dict(template)

    monkeypatch.setattr(rights, "build", lambda _environment: Template())
    found = statements("deployer")
    assert {"iam:PutRolePolicy", "iam:DeleteRolePolicy"} <= set(found["CreateRoles"]["Action"])
    assert "arn:aws:iam::111111111111:role/states-prod" in found["CreateRoles"]["Resource"]
    assert found["PassToStates"]["Resource"] == ["arn:aws:iam::111111111111:role/states-prod"]
    assert {
        "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
    } <= set(found["AttachPolicies"]["Condition"]["ArnLike"]["iam:PolicyARN"])


def test_a_firewall_and_backups_are_made_within_their_names() -> None:
    found = statements("deployer")
    assert found["MakeWebAcls"]["Resource"] == [
        "arn:aws:wafv2:eu-central-1:111111111111:regional/webacl/payment-api-prod/*"
    ]
    assert found["MakeVaults"]["Resource"] == [
        "arn:aws:backup:eu-central-1:111111111111:backup-vault:transactions-prod-*"
    ]
    for service in ("wafv2", "backup"):
        linked = found[f"MakeLinkedRoleOf{service.title()}"]
        assert linked["Condition"]["StringEquals"] == {"iam:AWSServiceName": f"{service}.amazonaws.com"}
    assert found["MakeKeysBackup"]["Condition"]["StringLike"] == {"kms:ViaService": ["backup.eu-central-1.*"]}


def test_who_deploys_deletes_only_backups_that_go_with_their_stack() -> None:
    kept = {action for statement in statements("deployer").values() for action in statement["Action"]}
    assert not {"backup:DeleteRecoveryPoint", "backup:DeleteBackupVaultLockConfiguration"} & kept
    going = statements("deployer", "passing")
    assert going["CallVaults"]["Action"] == ["backup:ListRecoveryPointsByBackupVault"]
    assert going["CallRecoveryPoints"]["Resource"] == [
        "arn:aws:backup:eu-central-1:111111111111:recovery-point:*",
        "arn:aws:dynamodb:eu-central-1:111111111111:table/transactions-passing/backup/*",
    ]
    assert "CallVaults" not in statements("deployer", "dev")
