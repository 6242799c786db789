"""Partial responses: the `fields` parameter, `a,b(c,d),e/f`, checked against the method's schema."""

import re
from typing import Any

from infra.local.gmail.discovery import Discovery, Schema
from infra.local.gmail.errors import invalid

Mask = dict[str, "Mask"]
_TOKEN = re.compile(r"[^,()/\s]+|[,()/]")


def parse(text: str) -> Mask:
    """The tree that a mask names; an empty branch means all of it. 400 if it is no mask."""
    tokens = _TOKEN.findall(text)
    mask = _selection(tokens)
    if tokens or not mask:
        raise invalid(f"Invalid field selection {text}")
    return mask


def _selection(tokens: list[str]) -> Mask:
    mask: Mask = {}
    while tokens and tokens[0] != ")":
        _path(tokens, mask)
        if tokens and tokens[0] == ",":
            tokens.pop(0)
    return mask


def _path(tokens: list[str], mask: Mask) -> None:
    name = tokens.pop(0)
    if name in "(),/":
        raise invalid(f"Invalid field selection: unexpected {name}")
    branch = mask.setdefault(name, {})
    if tokens and tokens[0] == "/":
        tokens.pop(0)
        if not tokens:
            raise invalid("Invalid field selection: it ends in a slash")
        _path(tokens, branch)
    elif tokens and tokens[0] == "(":
        tokens.pop(0)
        branch.update(_selection(tokens))
        if not tokens or tokens.pop(0) != ")":
            raise invalid("Invalid field selection: a bracket is not closed")


def check(mask: Mask, discovery: Discovery, schema: Schema) -> None:
    """Refuse (400) a mask that names a field the answer can't have."""
    for name, branch in mask.items():
        if name == "*":
            continue
        field = discovery.field(schema, name)
        if field is None:
            raise invalid(f"Invalid field selection {name}")
        check(branch, discovery, field)


def apply(mask: Mask, value: Any) -> Any:
    """What remains of a JSON value under a mask."""
    if not mask or "*" in mask:
        return value
    if isinstance(value, list):
        return [apply(mask, item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: apply(mask[name], value[name]) for name in value if name in mask}
