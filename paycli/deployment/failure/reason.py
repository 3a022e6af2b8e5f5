"""How to read a reason of CloudFormation: whose failure it is, what the service said, which property it names."""

import json
import re

# What CloudFormation says where it only follows another failure: of a resource that it stopped, and of the stack.
_FOLLOWS = re.compile(
    r"\s*(?:resource \w+ cancell?ed|the following resource\(s\) failed to|rollback requested(?: by user)?\.?\s*$)",
    re.IGNORECASE,
)
# Where the details are only in DescribeEvents; the first stands on change sets, the others on stacks.
_POINTS = re.compile(
    r"\[AWS::EarlyValidation::|Call DescribeEvents to retrieve|See (?:the )?operation's FAILED event", re.IGNORECASE
)
# What a resource handler wraps around the words of its service.
_HANDLED = re.compile(
    r'Resource handler returned message: "(?P<said>.*)" \((?:RequestToken: [^,]*, )?HandlerErrorCode: \w+\)\s*',
    re.DOTALL,
)
# Services name what is in the way in some ways. A name has a hyphen; "Table already exists" has no name.
_IDENTIFIER = re.compile(
    r"with identifier '([^']+)'|already exists?: ([\w./-]+)|\bname ([\w./-]+) already exists"
    r"|(?:^|\")([\w./]+-[\w./-]+) already exists",
    re.IGNORECASE,
)
_CODE = re.compile(r"HandlerErrorCode: (\w+)")
_REQUEST = re.compile(r"\s*\((?:Service|SDK Attempt Count): [^()]*\)")
_PROPERTY = (
    re.compile(r"#(?P<path>(?:/[\w.-]+)*): (?:extraneous|required) key \[(?P<key>[^\]]+)\]"),
    re.compile(r"#(?P<path>(?:/[\w.-]+)+):"),
    re.compile(r"unsupported propert(?:y|ies) in \{(?P<path>[^}]*)\}: \[(?P<key>[^\]]+)\]"),
    re.compile(r"The property \{(?P<path>[^}]+)\} is required"),
    re.compile(r"Value (?:'[^']*' )?at '(?P<key>[\w.]+)' failed to satisfy"),
    re.compile(
        r"(?:Required property \[|unsupported property |Value of property \{?)(?P<key>[\w.,/ ]*?\w)(?=[\]}\s]|$)"
    ),
)


def follows(reason: str) -> bool:
    """Whether the reason says no more than that something else has failed."""
    return bool(_FOLLOWS.match(reason))


def points_elsewhere(reason: str) -> bool:
    """Whether the reason says no more than that DescribeEvents knows it."""
    return bool(_POINTS.search(reason))


def said(reason: str) -> str:
    """Return what the service said, without the handler's wrapping and the ids of the request."""
    handled = _HANDLED.fullmatch(reason)
    return _REQUEST.sub("", handled["said"] if handled else reason).strip() or reason


def named_resource(reason: str) -> str:
    """Return the physical name that the reason gives, or nothing."""
    found = _IDENTIFIER.search(reason)
    return _inside(next(filter(None, found.groups()))) if found else ""


def _inside(identifier: str) -> str:
    """Return the name in an identifier; some types have it as JSON: {"/properties/LogGroupName":"/aws/lambda/x"}."""
    try:
        parts = json.loads(identifier)
    except ValueError:
        return identifier
    return str(next(iter(parts.values()), identifier)) if isinstance(parts, dict) else identifier


def handler_code(reason: str) -> str:
    """Return the class of error that the resource's handler gives, such as InvalidRequest, or nothing.

    https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
    """
    found = _CODE.search(reason)
    return found[1] if found else ""


def named_property(reason: str) -> str:
    """Return the path of the property that the reason names (`VpcConfig.SubnetIds.0`), or nothing."""
    for pattern in _PROPERTY:
        found = pattern.search(reason)
        if found:
            groups = found.groupdict()
            path = f"{groups.get('path', '')}/{groups.get('key', '')}"
            return ".".join(part for part in path.split("/") if part)
    return ""


def template_property(path: str) -> str:
    """Return the property of a place in the template: /Resources/Table/Properties/KeySchema/0 -> KeySchema.0."""
    _, _, inside = path.partition("/Properties/")
    return inside.replace("/", ".")
