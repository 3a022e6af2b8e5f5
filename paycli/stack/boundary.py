"""The permissions boundary of the roles."""

from troposphere import Template
from troposphere.iam import Role


def bound_roles(template: Template, boundary: str) -> None:
    """Bound what each role of the template may do, whatever its policies say; `boundary` is a policy's ARN.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    for resource in template.resources.values():
        if isinstance(resource, Role):
            resource.PermissionsBoundary = boundary
