"""JSON of FHIR resources with exact decimals: 5.10 stays 5.10 (FHIR R4, decimal)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from cds_service.demo.sandbox.outcomes import JsonObject, invalid

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def encode(value: Any) -> bytes:
    """The JSON text of a value whose numbers may be Decimals."""
    return _ENCODER.encode(value)


def decode_object(text: bytes) -> JsonObject:
    """The JSON object in ``text``.

    Raises:
        FhirError: 400, when the text is not JSON or not an object.
    """
    try:
        value = _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as fault:
        raise invalid("The body is not JSON. Send one FHIR resource as JSON.") from fault
    if not isinstance(value, dict):
        raise invalid("The body is not a JSON object. Send one FHIR resource as JSON.")
    return value
