import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from chatgpt_codex.cli import main
from chatgpt_codex.drawing.svg import SVG_MARK

STORE = "1ff065e9-88e8-4358-9d82-8dc91f622ba9"
EXAMPLES = Path(__file__).parents[2] / "example_graphs"

SOUND: Mapping[str, Any] = {
    "name": "Two steps",
    "description": "Hands a value on.",
    "nodes": [
        {"id": "a", "block_id": STORE, "input_default": {"input": 1}, "metadata": {"customized_name": "First"}},
        {"id": "b", "block_id": STORE, "input_default": {}},
    ],
    "links": [{"id": "l", "source_id": "a", "source_name": "output", "sink_id": "b", "sink_name": "input"}],
}


def save(folder: Path, document: object, **options: Any) -> str:
    path = folder / "graph.json"
    path.write_text(json.dumps(document, **options), encoding="utf-8")
    return str(path)


@pytest.fixture
def sound(tmp_path: Path) -> str:
    return save(tmp_path, SOUND)


def with_inputs(**inputs: object) -> Mapping[str, Any]:
    first, second = SOUND["nodes"]
    return {**SOUND, "nodes": [{**first, "input_default": {**first["input_default"], **inputs}}, second]}


def test_check_says_that_a_graph_is_sound(sound: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "check", sound]) == 0
    assert capsys.readouterr() == ("ok: 2 nodes, 1 link\n", "")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_check_finds_nothing_in_the_examples(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "check", str(path)]) == 0
    assert capsys.readouterr().out.startswith("ok: ")


def test_check_names_node_pin_and_fix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path, {**SOUND, "links": [{**SOUND["links"][0], "sink_name": "inptu"}]})

    assert main(["graph", "check", path]) == 1
    assert capsys.readouterr().out == (
        "error: 'StoreValueBlock' (b) has no input 'inptu' for the link a.output -> b.inptu.\n"
        "  at: node b, pin inptu\n"
        "  fix: Use one of its inputs: data, input.\n"
        "error: 'StoreValueBlock' (b) has no value for its input 'input'.\n"
        "  at: node b, pin input\n"
        "  fix: Type one in, or link an output to it.\n"
        "2 errors: 2 nodes, 1 link\n"
    )


def test_check_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path, {**SOUND, "links": []})

    assert main(["graph", "check", path, "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "ok": False,
        "nodes": 2,
        "links": 0,
        "problems": [
            {
                "severity": "error",
                "node": "b",
                "pin": "input",
                "graph": None,
                "message": "'StoreValueBlock' (b) has no value for its input 'input'",
                "fix": "Type one in, or link an output to it",
            }
        ],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "is JSON, but not a graph"),
        ('{"nodes": 5}', "is not a graph: nodes:"),
        (None, "There is no file"),
    ],
)
@pytest.mark.parametrize("command", [["check"], ["check", "--json"], ["show"], ["draw", "-o", "-"]])
def test_what_is_no_graph_is_refused_with_exit_code_2(
    content: str | None, message: str, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "graph.json"
    if content is not None:
        path.write_text(content)

    assert main(["graph", *command, str(path)]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("Error: ")
    assert message in shown.err
    if "--json" in command:
        report = json.loads(shown.out)
        assert report["ok"] is False
        assert message in report["problems"][0]["message"]


def test_check_warns_of_what_the_upload_dialog_garbles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path, {**SOUND, "name": "Zwei Schritte für dich"}, ensure_ascii=False, indent=1)

    assert main(["graph", "check", path]) == 0
    assert capsys.readouterr().out == (
        "warning: The file holds characters outside ASCII, the first in line 2: AutoGPT's upload dialog garbles them.\n"
        "  fix: Write them as \\uXXXX: python -m json.tool OLD_FILE NEW_FILE does that.\n"
        "ok, 1 warning: 2 nodes, 1 link\n"
    )


@pytest.mark.parametrize("part", ["name", "description"])
def test_check_warns_of_what_the_upload_dialog_misses(
    part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(tmp_path, {key: value for key, value in SOUND.items() if key != part})

    assert main(["graph", "check", path]) == 0
    assert capsys.readouterr().out == (
        f"warning: The file has no '{part}', which AutoGPT's upload dialog asks for.\n"
        f'  fix: Add "{part}": "…" at the top level.\n'
        "ok, 1 warning: 2 nodes, 1 link\n"
    )


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"max_tokens": 5}, "'First' (a) has a value for 'max_tokens': AutoGPT's export drops inputs with such names"),
        ({"API_KEY_2": "x"}, "'First' (a) has a value for 'API_KEY_2'"),
        ({"credentials": {"id": "c"}}, "'First' (a) holds a reference to credentials"),
        ({"data": ["sk-" + "a1b2" * 8]}, "'First' (a) has something that looks like an API key in its input 'data'"),
    ],
)
def test_check_warns_of_secrets_without_showing_them(
    inputs: dict[str, object], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", "check", save(tmp_path, with_inputs(**inputs))]) == 0
    out = capsys.readouterr().out
    assert f"warning: {message}" in out
    assert "a1b2" not in out
    assert out.endswith("ok, 1 warning: 2 nodes, 1 link\n")


@pytest.mark.parametrize("inputs", [{"secret": True}, {"secret": None}, {"credentials": {}}])
def test_check_does_not_warn_of_what_export_keeps_or_nobody_typed_in(
    inputs: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", "check", save(tmp_path, with_inputs(**inputs))]) == 0
    assert capsys.readouterr().out == "ok: 2 nodes, 1 link\n"


def test_check_says_in_which_sub_graph(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inner = {"id": "i", "name": "Inside", "nodes": [with_inputs(secret_word="x")["nodes"][0]]}

    assert main(["graph", "check", save(tmp_path, {**SOUND, "sub_graphs": [inner]})]) == 0
    assert "  at: sub-graph 'Inside', node a, pin secret_word\n" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["check"], ["show"], ["draw", "-o", "-", "--format", "mermaid"]])
def test_nothing_that_a_terminal_would_obey_is_printed(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b]0;title\x07\x9b31m\ud800"
    node = {"id": evil, "block_id": evil, "input_default": {evil: evil}, "metadata": {"customized_name": evil}}
    link = {"id": evil, "source_id": evil, "source_name": evil, "sink_id": "gone", "sink_name": evil}
    path = save(tmp_path, {"name": evil, "description": evil, "nodes": [node], "links": [link]})

    main(["graph", *command, path])
    assert not set(capsys.readouterr().out) & {"\x1b", "\x07", "\x9b", "\ud800"}


def test_show_prints_a_tree(sound: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "show", sound]) == 0
    assert capsys.readouterr().out == (
        "Graph: Two steps\nHands a value on.\n2 nodes, 1 link\n\nSteps\n"
        "  1. First (Store Value)\n     ├─ input = 1\n     └─ output → 2. Store Value: input (keeps its value)\n"
        "  2. Store Value\n"
    )


def test_draw_writes_a_picture_and_replaces_it(sound: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "picture.svg"

    for _ in range(2):
        assert main(["graph", "draw", sound, "-o", str(picture)]) == 0
        assert capsys.readouterr() == ("", f"Drew 2 nodes, 1 link into {picture}\n")
    ET.parse(picture)
    assert not list(tmp_path.glob(".*"))


def test_draw_keeps_files_that_it_did_not_make(sound: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "picture.svg"
    picture.write_text("<svg/>")

    assert main(["graph", "draw", sound, "-o", str(picture)]) == 2
    assert picture.read_text() == "<svg/>"
    assert "is there already and is not a drawing made by this command." in capsys.readouterr().err
    assert main(["graph", "draw", sound, "-o", str(picture), "--force"]) == 0
    assert SVG_MARK in picture.read_text(encoding="utf-8")


def test_draw_replaces_only_its_own_format(sound: str, tmp_path: Path) -> None:
    chart = tmp_path / "chart.mmd"

    assert main(["graph", "draw", sound, "-o", str(chart)]) == 0
    assert "flowchart LR" in chart.read_text(encoding="utf-8")
    assert main(["graph", "draw", sound, "-o", str(chart), "--format", "svg"]) == 2


@pytest.mark.parametrize(("options", "start"), [([], "<?xml"), (["--format", "mermaid"], "---\n")])
def test_draw_writes_to_stdout(options: list[str], start: str, sound: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "draw", sound, "-o", "-", *options]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith(start)
    assert shown.err == ""


def test_draw_wants_a_format(sound: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "draw", sound, "-o", str(tmp_path / "x.png")]) == 2
    assert "says no format. Let it end with .svg or .mmd, or add --format." in capsys.readouterr().err


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize("place", [".", "missing/x.svg", "graph.json/x.svg"])
def test_draw_says_why_it_cannot_write(
    place: str, force: list[str], sound: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = str(tmp_path / place)

    assert main(["graph", "draw", sound, "-o", output, "--format", "svg", *force]) == 1
    assert f"{output!r} cannot be written: " in capsys.readouterr().err
    assert not list(tmp_path.glob(".*"))
