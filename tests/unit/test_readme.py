"""The README and the code say the same: functions, configuration, data model, commands, resources."""

import inspect
import re
from pathlib import Path

import functions_framework
import msgspec
import pytest
from functions_framework import _function_registry as registry

from mailbridge.config import VARIABLES
from mailbridge.domain import model
from mailbridge.resources import _routes

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def between(name: str) -> str:
    """What stands between two markers of the README."""
    return README.partition(f"<!-- {name}:begin -->\n")[2].partition(f"<!-- {name}:end -->")[0]


def configuration_table() -> str:
    """The table that the README must hold."""
    rows = [
        f"| `{v.name}` | {v.purpose} | {'required' if v.default is None else f'`{v.default}`' if v.default else 'off'} |"
        for v in VARIABLES
    ]
    return "\n".join(["| variable | what it is | default |", "|---|---|---|", *rows]) + "\n"


def test_the_configuration_table_lists_every_variable_with_its_default() -> None:
    assert between("config") == configuration_table()


def test_every_function_of_main_is_in_the_table_and_no_other() -> None:
    functions_framework.create_app(target="api", source=str(ROOT / "functions/main.py"))
    table = README.partition("## Functions")[2].partition("| resource of")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(registry.REGISTRY_MAP)


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make (\w+)", README)) <= targets


@pytest.mark.parametrize("line", [line for line in between("model").splitlines() if re.search(r"\{\w+\}", line)])
def test_every_field_of_the_drawn_data_model_exists(line: str) -> None:
    match = re.match(r"\s*\S+\s+(?P<kind>[A-Z]\w+)\s+(?P<fields>.*)", line)
    if match is None:
        assert line.strip() == "locations/{locationId}"
        return
    stored = {field.encode_name for field in msgspec.structs.fields(getattr(model, match["kind"]))}
    words = re.sub(r"\{[^}]*\}|\([^)]*\)", "", match["fields"])
    drawn = {name for name in re.findall(r"[A-Za-z]+", words.partition(";")[0]) if not words.startswith(("the ", "a "))}
    assert drawn <= stored


def test_every_stored_document_is_drawn() -> None:
    drawn = set(re.findall(r"\s([A-Z]\w+)\s{2,}", between("model")))
    parts = {"Document", "Attachment", "Delivery", "Copy", "Link", "Gap"}
    documents = {
        name
        for name, kind in inspect.getmembers(model, inspect.isclass)
        if issubclass(kind, model.Document) and kind.__module__ == model.__name__
    }
    assert drawn == documents - parts


def test_every_resource_of_the_api_is_in_its_table() -> None:
    table = README.partition("| resource of")[2].partition("\n\n")[0]
    named = set(re.findall(r"(?:/locations/\{l\}|…)((?:/[\w{}]+)+)", table))
    routes = {
        re.sub(r"<(\w)\w*>", r"{\1}", rule.rule.removeprefix("/locations/<location_id>"))
        for rule in _routes().iter_rules()
    }
    assert routes == named
