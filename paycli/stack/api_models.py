"""What the gateway checks of a body before a function runs: its structure, from the handlers' own contract."""

from dataclasses import dataclass

from troposphere import GenericHelperFn, Template
from troposphere.apigateway import Model, RequestValidator, RestApi

from paycli.handlers_source import load_contract


@dataclass(frozen=True)
class Validation:
    """The validator, and the model of each path that has one ("validate", "process")."""

    validator: RequestValidator
    models: dict[str, Model]


def add_validation(template: Template, api: RestApi) -> Validation:
    """Add the validator of bodies and one model a request of the contract (JSON schema draft 4)."""
    validator = template.add_resource(
        RequestValidator(
            "BodyValidator",
            RestApiId=api.ref(),
            Name="body",
            ValidateRequestBody=True,
            ValidateRequestParameters=True,  # none is declared; auditors ask for both
        )
    )
    models = {
        name: template.add_resource(
            Model(
                f"{name.capitalize()}Model",
                RestApiId=api.ref(),
                Name=f"{name.capitalize()}Request",
                Description=f"Body of POST /{name}.",
                ContentType="application/json",
                # Troposphere would make one line of text of a plain dict; a reviewer reads the structure.
                Schema=GenericHelperFn(schema),
            )
        )
        for name, schema in sorted(load_contract().REQUEST_MODELS.items())
    }
    return Validation(validator, models)
