"""docs/audit-rules.md, written from the rules themselves: `python -m paycli.audit.catalog > docs/audit-rules.md`."""

import sys

from paycli.audit.rules import RULES

_INTRODUCTION = """\
# The rules of the audit

<!-- Generated: python -m paycli.audit.catalog > docs/audit-rules.md -->

They read a CloudFormation template for what costs money or leaks it, and what public auditors don't look for.
Each is a cfn-lint rule, one class in `paycli/audit/rules/`. They need cfn-lint alone, and run in three ways:

- `paycli audit` (with the findings that this project has accepted by name);
- `cfn-lint -c I --append-rules paycli.audit.rules -- templates/prod.yaml`, where paycli can be imported: installed, or
  with `PYTHONPATH=.` in a checkout. The folder works too: `--append-rules paycli/audit/rules`;
- in `make lint` and in pre-commit. What paycli.toml accepts by name stands in the template's Metadata, where cfn-lint
  leaves it out.

An id that starts with E says that money or secrets are at risk as it stands, one with W that a safeguard is missing.

**Production** is a template whose Metadata says so (`Paycli: {Environment, RetainData}`, which paycli writes): its data
is kept, or the environment's name has the word prod, production or live in it (not pre-prod). A template without
that is judged by the tag `Environment` of its resources. The rules that ask for it are tagged `production`.

**How values are read.** An Fn::If counts with both branches, a Ref to a parameter with its default, JSON in a text as
what it says, Fn::Select and Fn::Split as what they come to. What only a deployment knows (a parameter without default,
Fn::ImportValue, Fn::FindInMap) is not judged. Of a route's authorization alone (E9611, W9613) every value counts that a
deployment can give: each of a parameter's AllowedValues, anything where it has none, each value of a mapping. An API
that is defined by an OpenAPI body, a nested stack and what other stacks add are not seen.

**Exceptions that AWS documents.** E9551: EventBridge says no source to a key; a statement that only describes a key
gives nothing away; CloudWatch Logs pins a key by `kms:EncryptionContext:aws:logs:arn`. W9552: AWS shows the roles of
API Gateway's account, EC2 and AWS Backup without a source. E9602: actions without a resource level need `*`, as the
Service Authorization Reference says that cfn-lint carries; so do CloudWatch's metrics, whose only data set is
`default`, and recovery points, which have no name before they are made.

**Exceptions of this project.** W9653: five rules of AWS's common group may count, for they refuse good payments
(`MAY_COUNT` in `paycli/audit/rules/firewall.py`). W9597: a function that only a GET calls needs no alarm on its errors.

| id | severity | what | why | requirement | how to mend |
| --- | --- | --- | --- | --- | --- |
"""


def markdown() -> str:
    """Return the whole page."""
    rules = sorted((rule() for rule in RULES), key=lambda rule: str(rule.id[1:]))
    rows = (
        [f"[{rule.id}]({rule.source_url})", rule.severity, rule.description, rule.why, rule.requirement, rule.mend]
        for rule in rules
    )
    return _INTRODUCTION + "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows
    )


if __name__ == "__main__":
    sys.stdout.write(markdown())
