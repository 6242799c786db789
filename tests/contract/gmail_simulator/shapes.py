"""Discovery schemas as JSON Schema, and an HTTP client that holds every answer of the simulator against them."""

import json
from typing import Any
from urllib.parse import unquote, urlsplit

import httplib2
from jsonschema import Draft202012Validator

from infra.local.gmail.discovery import load

_TYPES: dict[str, dict[str, Any]] = {
    "uint64": {"pattern": "^[0-9]+$"},
    "int64": {"pattern": "^-?[0-9]+$"},
    "byte": {"pattern": "^[A-Za-z0-9_-]*={0,2}$"},
    "int32": {"minimum": -(2**31), "maximum": 2**31 - 1},
    "uint32": {"minimum": 0, "maximum": 2**32 - 1},
}
ERROR = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "errors", "status"],
            "properties": {
                "code": {"type": "integer"},
                "message": {"type": "string"},
                "status": {"type": "string"},
                "errors": {"type": "array", "minItems": 1, "items": {"required": ["message", "domain", "reason"]}},
            },
        }
    },
}


def json_schema(schema: Any) -> Any:
    """A discovery schema as JSON Schema that knows no further properties."""
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    if schema["type"] == "array":
        return {"type": "array", "items": json_schema(schema["items"])}
    if schema["type"] == "object":
        fields = {name: json_schema(field) for name, field in schema.get("properties", {}).items()}
        return {"type": "object", "properties": fields, "additionalProperties": False}
    limits = {"enum": schema["enum"]} if "enum" in schema else {}
    return {"type": schema["type"], **limits, **_TYPES.get(schema.get("format", ""), {})}


_DEFINITIONS = {name: json_schema(schema) for name, schema in load().schemas.items()}


def check(schema: str, value: Any) -> None:
    """Fail unless a value has the shape of a discovery schema."""
    Draft202012Validator({"$ref": f"#/$defs/{schema}", "$defs": _DEFINITIONS}).validate(value)


class CheckedHttp(httplib2.Http):  # type: ignore[misc]  # httplib2 has no types
    """An httplib2 client with a bearer token that checks each answer of Gmail v1 against the method's schema."""

    def __init__(self, token: str) -> None:
        super().__init__(timeout=20)
        self._token = token

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **kw: Any) -> Any:
        """Send and check."""
        headers = {**(headers or {}), "Authorization": f"Bearer {self._token}"}
        response, content = super().request(uri, method, body=body, headers=headers, **kw)
        self._check(method, unquote(urlsplit(uri).path), response, content)
        return response, content

    def _check(self, verb: str, path: str, response: Any, content: bytes) -> None:
        if response.status >= 400:
            Draft202012Validator(ERROR).validate(json.loads(content))
            return
        found = load().match(verb, path.replace("/resumable", "").removeprefix("/upload"))
        if found is None or response.status == 308 or "location" in response:
            return
        if found[0].response is None:
            assert (response.status, content) == (204, b"")
        else:
            check(found[0].response, json.loads(content))
