"""The OpenAPI 3.1 document of the service, made from the models its requests and responses are checked by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson
from flask import Blueprint, Response
from pydantic import BaseModel, Field, create_model
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from cds_service.api.problems import JSON, TABLE
from cds_service.app_state import parts_of
from cds_service.hooks import HOOKS, HookService
from cds_service.http.problem import Problem
from cds_service.wire.described import (
    Discovery,
    FeedbackReceived,
    Health,
    OperationOutcome,
    SourceAttributesDocument,
    Version,
)
from cds_service.wire.discovery import SPECIFICATION
from cds_service.wire.feedback import FeedbackRequest
from cds_service.wire.request import Envelope
from cds_service.wire.response import CdsResponse

api_document = Blueprint("api_document", __name__)

Json = dict[str, Any]

_REFERENCE = "#/components/schemas/{model}"
_NAMES = {"OverrideReason-Input": "FeedbackOverrideReason", "OverrideReason-Output": "OverrideReason"}
"""Two models have one name; what a client sends is called differently in the document."""

_TOKEN = "callerToken"  # noqa: S105 - the name of a security scheme
_EITHER: list[Json] = [{_TOKEN: []}, {}]
"""A token is needed unless the configuration says otherwise."""

_ANYWHERE = (Problem.WRONG_METHOD, Problem.INTERNAL)
_CALLER = (Problem.UNAUTHORISED, Problem.OUT_OF_SERVICE)
_BODY = (
    Problem.MALFORMED_BODY,
    Problem.INVALID_REQUEST,
    Problem.UNKNOWN_PATH,
    Problem.TOO_LARGE,
    Problem.WRONG_MEDIA_TYPE,
    Problem.CODED_BODY,
)
_CALL = (
    Problem.FOREIGN_SERVER,
    Problem.FOREIGN_RESOURCE,
    Problem.MERGED_PATIENT,
    Problem.MERGED_PATIENT,
    Problem.MISSING_DATA,
    Problem.REFUSED_DATA,
    Problem.WRONG_VERSION,
    Problem.NOT_APPROVED,
    Problem.TOO_MANY_RESOURCES,
    Problem.TOO_MANY_CALLS,
)


@api_document.get("/openapi.json")
def openapi() -> Response:
    """The document of this installation."""
    parts = parts_of()
    return Response(_written(parts.settings.public_url, tuple(parts.services)), 200, content_type=JSON)


@lru_cache(maxsize=8)
def _written(url: str, services: tuple[str, ...]) -> bytes:
    return orjson.dumps(document([HOOKS[service] for service in services], url))


def document(services: Iterable[HookService], url: str) -> Json:
    """The document for some services at a base address."""
    offered = list(services)
    requests = {service.id: _request_model(service) for service in offered}
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "relapse-cds",
            "version": SPECIFICATION,
            "summary": "CDS Hooks service for relapsed acute lymphoblastic leukaemia",
            "description": f"CDS Hooks {SPECIFICATION} with FHIR R4. The version is that of CDS Hooks.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": url}],
        "paths": {**_general(), **_of_services(requests)},
        "components": {
            "schemas": _schemas(requests.values()),
            "securitySchemes": {_TOKEN: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _request_model(service: HookService) -> type[BaseModel]:
    """The envelope with the context of one hook, and the prefetch, which is read as FHIR."""
    name = "".join(part.title() for part in service.hook.split("-")) + "Request"
    model: type[BaseModel] = create_model(
        name,
        __base__=Envelope,
        __doc__=f"A call of the hook {service.hook}.",
        hook=(str, Field(json_schema_extra={"const": service.hook})),
        context=(service.context, ...),
        prefetch=(dict[str, Any], {}),
    )
    return model


def _general() -> Json:
    return {
        "/cds-services": {
            "get": _operation("discovery", "The services that are offered", Discovery, _CALLER, _EITHER)
        },
        "/livez": {"get": _operation("livez", "The process answers", Health)},
        "/readyz": {"get": _operation("readyz", "The process can serve", Health, (Problem.OUT_OF_SERVICE,))},
        "/version": {"get": _operation("version", "Which software and content decide", Version)},
    }


def _of_services(requests: Mapping[str, type[BaseModel]]) -> Json:
    paths: Json = {}
    for service, model in requests.items():
        base = f"/cds-services/{service}"
        called = _operation(
            f"call-{service}", HOOKS[service].title, CdsResponse, (*_BODY, *_CALL, *_CALLER), _EITHER
        )
        told = _operation(
            f"feedback-{service}", "What users did with cards", FeedbackReceived, (*_BODY, *_CALLER), _EITHER
        )
        shown = _operation(
            f"source-attributes-{service}",
            "What the decision support rests on",
            SourceAttributesDocument,
            (Problem.UNKNOWN_PATH,),
        )
        shown["responses"]["200"]["content"]["text/html"] = {"schema": {"type": "string"}}
        shown["responses"]["304"] = {"description": "Not changed since If-None-Match."}
        paths[base] = {"post": {**called, "requestBody": _sent(model)}}
        paths[f"{base}/feedback"] = {"post": {**told, "requestBody": _sent(FeedbackRequest)}}
        paths[f"{base}/source-attributes"] = {"get": shown}
    return paths


def _operation(
    name: str,
    summary: str,
    answer: type[BaseModel],
    problems: Iterable[Problem] = (),
    security: list[Json] | None = None,
) -> Json:
    """One operation; every refusal is an OperationOutcome with the words of the table of problems."""
    by_status: dict[str, list[str]] = {}
    for problem in (*problems, *_ANYWHERE):
        row = TABLE[problem]
        by_status.setdefault(str(row.status), []).append(f"{row.words} (`{row.code}`)")
    refused = {
        status: {"description": " ".join(words), "content": _json(OperationOutcome)}
        for status, words in sorted(by_status.items())
    }
    accepted = {"200": {"description": "Done.", "content": _json(answer)}}
    return {
        "operationId": name,
        "summary": summary,
        "security": security or [],
        "responses": {**accepted, **refused},
    }


def _json(model: type[BaseModel]) -> Json:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}}}


def _sent(model: type[BaseModel]) -> Json:
    content = _json(model)
    return {"required": True, "content": {**content, "application/fhir+json": content["application/json"]}}


def _schemas(requests: Iterable[type[BaseModel]]) -> Json:
    answers = (
        CdsResponse,
        Discovery,
        OperationOutcome,
        FeedbackReceived,
        SourceAttributesDocument,
        Health,
        Version,
    )
    modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "serialization") for model in answers]
    received: list[type[BaseModel]] = [FeedbackRequest, *requests]
    modes += [(model, "validation") for model in received]
    _, found = models_json_schema(modes, ref_template=_REFERENCE, by_alias=True)
    written = orjson.dumps(found["$defs"]).decode()
    for old, new in _NAMES.items():
        written = written.replace(f'/{old}"', f'/{new}"').replace(f'"{old}":', f'"{new}":')
    schemas: Json = orjson.loads(written)
    return {name: _without_null(schema) for name, schema in sorted(schemas.items())}


def _without_null(schema: Any) -> Any:
    """A schema without null: a member without a value is left out (CDS Hooks, "Use of JSON")."""
    if isinstance(schema, list):
        return [_without_null(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: _without_null(item) for key, item in schema.items() if not (key == "default" and item is None)
    }
    kinds = [kind for kind in kept.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del kept["anyOf"]
        kept = {**kinds[0], **kept}
    return kept
