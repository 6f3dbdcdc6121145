"""The example graphs: written by their generator, importable, and doing what their scripts show."""

import json
import os
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from chatgpt_codex.cli import main
from chatgpt_codex.cli.known_blocks import known_blocks
from chatgpt_codex.runner.check import check_graph
from chatgpt_codex.runner.graph import load_graph

FOLDER = Path(__file__).parents[1] / "example_graphs"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def _generator() -> ModuleType:
    spec = spec_from_file_location("build", FOLDER / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_the_six_that_the_readme_lists() -> None:
    assert NAMES == [
        "chat_and_code",
        "requirements_to_tests",
        "software_team",
        "software_team_with_approval",
        "stakeholder_update",
        "tested_work",
    ]
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}.json`" not in readme] == []


def test_the_files_are_what_the_generator_writes() -> None:
    graphs = _generator().GRAPHS
    assert sorted(graphs) == NAMES
    for name, draw in graphs.items():
        assert (FOLDER / f"{name}.json").read_text(encoding="ascii") == draw().to_json(), "run `make graphs`"
        assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == draw().to_svg(), "run `make graphs`"


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_imported(name: str) -> None:
    path = FOLDER / f"{name}.json"
    document = json.loads(path.read_bytes().decode("ascii"))
    assert {"name", "description", "nodes", "links"} <= document.keys()
    assert check_graph(load_graph(path), known_blocks()) == []
    positions = [tuple(node["metadata"]["position"].values()) for node in document["nodes"]]
    assert len(set(positions)) == len(positions), "two nodes lie on one another"
    dropped = ("token", "secret", "password", "api_key", "credentials")
    assert [
        pin for node in document["nodes"] for pin in node["input_default"] if any(word in pin for word in dropped)
    ] == []


@pytest.mark.parametrize("name", [name for name in NAMES if name != "tested_work"])
def test_it_runs_by_its_script(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(FOLDER / f"{name}.json"), "--json", "--approve-all", "--simulate"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["status"], result["errors"]) == ("completed", [])
    assert "simulated" not in json.dumps(result["outputs"]).lower(), (
        "the script leaves a question to the default answer"
    )


def test_codex_really_runs_the_tests(capsys: pytest.CaptureFixture[str]) -> None:
    if find_spec("openai_codex") is None and "CI" not in os.environ:
        pytest.skip("the Codex program is not installed: pip install openai-codex")
    assert main(["run", str(FOLDER / "tested_work.json"), "--json", "--simulate"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["status"], result["errors"]) == ("completed", [])
    outputs = result["outputs"]
    assert "simulated" not in json.dumps(outputs).lower(), "the script leaves a question to the default answer"
    first, second = outputs["test_output"]
    assert "FAIL: test_a_title_without_letters_has_an_address" in first
    assert first.endswith("FAILED (failures=1)\n(exit code 1)")
    assert second.endswith("OK\n(exit code 0)")
    assert [review.splitlines()[0] for review in outputs["reviews"]] == [
        "# Review of revision 1: changes requested",
        "# Review of revision 2: approved",
    ]


def test_the_team_needs_one_change_round(capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", str(FOLDER / "software_team.json"), "--json", "--simulate"])
    outputs = json.loads(capsys.readouterr().out)["outputs"]
    assert sorted(outputs) == ["files", "reviews", "tests"]
    assert [review.splitlines()[0] for review in outputs["reviews"]] == [
        "# Review of revision 1: changes requested",
        "# Review of revision 2: approved",
    ]
    assert [[file["path"] for file in files] for files in outputs["files"]] == [["slugs.py"]]
