"""Checking a resource that a client wants to store against the R4B models of fhir.resources."""

from __future__ import annotations

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from cds_service.demo.sandbox.json_text import encode
from cds_service.demo.sandbox.outcomes import FhirError, JsonObject

_SHOWN_PLACES = 5


def check_resource(resource: JsonObject) -> None:
    """Accept a valid resource.

    Raises:
        FhirError: 422 with the places at fault, never their content.
    """
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate_json(encode(resource))
    except ValidationError as fault:
        places = [".".join(str(step) for step in error["loc"]) for error in fault.errors(include_input=False)]
        shown = ", ".join(dict.fromkeys(place[:100] or "the resource" for place in places[:_SHOWN_PLACES]))
        raise FhirError(422, "structure", f"Not a valid FHIR R4 resource; look at: {shown}.") from None
    except (KeyError, TypeError, AttributeError):
        raise FhirError(422, "structure", "Not a valid FHIR R4 resource: unknown type inside.") from None
