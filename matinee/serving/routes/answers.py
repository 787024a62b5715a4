"""The schemas of answers, for the documentation; answers are bytes, and nothing checks them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from matinee.serving.problems import MEDIA_TYPE

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
OPTIONAL: Schema = {"type": ["string", "null"]}
ANY: Schema = {"type": "object"}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _object(**properties: Schema) -> Schema:
    """An object that has these properties, all of them."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _named(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


LIST = {"release_id": TEXT, "generated_at": TEXT, "degraded": FLAG}

OF_MEMBER = {**LIST, "source": TEXT, "context": {"enum": ["session", "next_visit"]}}

SCHEMAS: dict[str, Schema] = {
    "Title": _object(title_id=TEXT, name=TEXT, asset_id=OPTIONAL, disclosure=OPTIONAL, reason=TEXT),
    "Shelf": _object(kind=TEXT, name=TEXT, titles=_list(_named("Title"))),
    "Page": _object(**OF_MEMBER, page_id=TEXT, shelves=_list(_named("Shelf"))),
    "Slate": _object(**OF_MEMBER, titles=_list(_named("Title"))),
    "Titles": _object(**LIST, titles=_list(_named("Title"))),
    "Because": _object(kind=TEXT, text=TEXT, value={}),
    "Why": _object(
        title_id=TEXT, name=TEXT, shown=FLAG, source=TEXT, because=_list(_named("Because"))
    ),
    "Rejected": _object(index=NUMBER, column=TEXT, rule=TEXT, value={}),
    "Taken": _object(accepted=NUMBER, duplicates=NUMBER, rejected=_list(_named("Rejected"))),
    "Statement": _object(
        member_id=TEXT,
        release_id=TEXT,
        choices_now=ANY,
        source=TEXT,
        profile=ANY,
        in_the_release=_list(ANY),
        since_the_release=_list(ANY),
        features_online=ANY,
    ),
    "Parameters": ANY,
    "Members": _object(release_id=TEXT, members=_list(ANY)),
    "Catalogue": _object(release_id=TEXT, as_of=TEXT, titles=NUMBER, now=TEXT, genres=_list(TEXT)),
    "Release": _object(release_id=TEXT, degraded=FLAG),
    "Health": _object(status={"const": "ok"}),
    "Readiness": _object(
        status={"enum": ["ok", "degraded"]}, release_id=TEXT, problems=_list(TEXT)
    ),
    "Problem": _object(type=TEXT, title=TEXT, status=NUMBER, detail=TEXT),
}

ANSWERS = {
    "/v1/members/{member_id}/page": "Page",
    "/v1/pages/{page_id}/next": "Page",
    "/v1/session/page": "Page",
    "/v1/members/{member_id}/slate": "Slate",
    "/v1/titles/{title_id}/similar": "Titles",
    "/v1/search": "Titles",
    "/v1/members/{member_id}/why/{title_id}": "Why",
    "/v1/events": "Taken",
    "/v1/members/{member_id}/statement": "Statement",
    "/v1/parameters": "Parameters",
    "/v1/members": "Members",
    "/v1/catalogue": "Catalogue",
    "/v1/releases/current": "Release",
    "/healthz": "Health",
    "/readyz": "Readiness",
}
"""Path -> the schema of its answer; the others have no body, or no JSON."""

EVENTS = _list({"type": "object", "properties": {"stream": TEXT}, "required": ["stream"]})


def document(api: FastAPI) -> None:
    """Let the documentation of an application say what its routes answer."""
    generate = api.openapi

    def documented() -> dict[str, Any]:
        if api.openapi_schema is None:
            found = generate()
            schemas = found.setdefault("components", {}).setdefault("schemas", {})
            schemas |= SCHEMAS
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            for path, methods in found["paths"].items():
                for operation in methods.values():
                    _add_answers(operation["responses"], ANSWERS.get(path))
            body = {"required": True, "content": {"application/json": {"schema": EVENTS}}}
            found["paths"]["/v1/events"]["post"]["requestBody"] = body
            api.openapi_schema = found
        return api.openapi_schema

    api.openapi = documented  # type: ignore[method-assign]


def _add_answers(responses: dict[str, Any], schema: str | None) -> None:
    responses.pop("422", None)  # errors are problems here
    for answer in responses.values():
        answer.pop("content", None)
        if schema:
            answer["content"] = {"application/json": {"schema": _named(schema)}}
    problem = {"schema": _named("Problem")}
    for status, text in (("4XX", "Refused: `detail` says why"), ("5XX", "Not done; try again")):
        responses[status] = {"description": text, "content": {MEDIA_TYPE: problem}}
