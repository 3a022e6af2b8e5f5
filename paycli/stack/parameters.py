"""What a deployment says beside the template: where the code lies, and whether the table may be deleted yet."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from troposphere import Parameter, Template

if TYPE_CHECKING:
    from paycli.environment import Environment


@dataclass(frozen=True)
class Parameters:
    """The template's parameters; `deletion_protection` is None where data dies with the stack."""

    artifact_bucket: Parameter
    code_key: Parameter
    deletion_protection: Parameter | None


def add_parameters(template: Template, environment: "Environment") -> Parameters:
    """Declare the parameters.

    The code is a parameter, so that a change of a handler leaves the template as it was audited.
    """
    artifact_bucket = template.add_parameter(
        Parameter(
            "ArtifactBucket",
            Type="String",
            Description="Bucket that holds the packaged handlers: output ArtifactBucket of the bootstrap stack.",
        )
    )
    code_key = template.add_parameter(
        Parameter("CodeKey", Type="String", Description="Key of the packaged handlers in the bucket, named by digest.")
    )
    deletion_protection = None
    if environment.retain_data:
        deletion_protection = template.add_parameter(
            Parameter(
                "DeletionProtection",
                Type="String",
                Default="true",
                AllowedValues=["true", "false"],
                Description="Protects the table. The very first create says false, or a failed one couldn't be "
                "rolled back; right afterwards it becomes true.",
            )
        )
    return Parameters(artifact_bucket, code_key, deletion_protection)
