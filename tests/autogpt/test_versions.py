"""Version numbers, and that what the blocks need is what the package asks for."""

import re
import tomllib
from pathlib import Path

import pytest

from chatgpt_codex.autogpt.contents import PACKAGE
from chatgpt_codex.autogpt.version_rules import NEEDED, OLDEST_PYTHON
from chatgpt_codex.autogpt.versions import bound_of, version_of


@pytest.mark.parametrize(
    ("text", "version"), [("1.97.1", (1, 97, 1)), ("2.0.0rc1", (2, 0, 0)), ("3", (3,)), ("?", (0,))]
)
def test_the_numbers_of_a_version(text: str, version: tuple[int, ...]) -> None:
    assert version_of(text) == version


@pytest.mark.parametrize(
    ("specifier", "operator", "bound"),
    [
        (">=3.10,<3.14", ">=", (3, 10)),
        (">=3.10,<3.14", "<", (3, 14)),
        (">=3.10", "<", None),
        ("<=3.10", "<", None),
        ("<4,>= 1.97.1", ">=", (1, 97, 1)),
    ],
)
def test_the_bounds_of_a_range(specifier: str, operator: str, bound: tuple[int, ...] | None) -> None:
    assert bound_of(specifier, operator) == bound


def test_what_the_blocks_need_is_what_the_package_asks_for() -> None:
    project = tomllib.loads((Path(PACKAGE).parent / "pyproject.toml").read_text())["project"]
    asked = {re.split(r"[<>=]", line, maxsplit=1)[0]: line for line in project["dependencies"]}

    assert {name: (bound_of(asked[name], ">="), bound_of(asked[name], "<")) for name in NEEDED} == NEEDED
    assert bound_of(project["requires-python"], ">=") == OLDEST_PYTHON
