"""One loaded cfn-lint for all tests of the audit: loading it takes half a second."""

import pytest

from paycli.audit.findings import Linter

RULE = """
from cfnlint.rules import CloudFormationLintRule, RuleMatch


class NoTopic(CloudFormationLintRule):
    id = "W9990"
    shortdesc = "There is a topic"
    description = "A rule to try rules with"
    why = "Rules can be tried"
    requirement = "No topic"
    mend = "Take it out"

    def match(self, cfn):
        return [RuleMatch(["Resources", name], "A topic") for name in cfn.get_resources(["AWS::SNS::Topic"])]
"""


@pytest.fixture(scope="session")
def linter(tmp_path_factory: pytest.TempPathFactory) -> Linter:
    """cfn-lint with a rule that finds every topic."""
    folder = tmp_path_factory.mktemp("rules")
    (folder / "NoTopic.py").write_text(RULE)
    return Linter("us-east-1", [folder])
