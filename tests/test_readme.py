"""What the documents say is true: their commands run, and what their tables name is there."""

import ast
import json
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import click
import pytest

from chatgpt_codex.autogpt.contents import PACKAGE
from chatgpt_codex.block import ChatGPTCodexBlock
from chatgpt_codex.block_sdk import Block
from chatgpt_codex.cli import cli, main
from chatgpt_codex.cli.serve import serve as serve_command
from chatgpt_codex.cli.simulate import simulate as simulate_command
from chatgpt_codex.codex_task import CodexTaskBlock
from chatgpt_codex.gateway.settings import GatewaySettings, load_settings
from chatgpt_codex.llm.endpoint import OPENAI_BASE_URL
from chatgpt_codex.roles import BusinessAnalystBlock, DeveloperBlock, ProjectManagerBlock, ReviewerBlock
from chatgpt_codex.simulator import Simulator, load_script

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
AGENTS = (ROOT / "AGENTS.md").read_text(encoding="utf-8")
EXAMPLES = (ROOT / "example_graphs" / "README.md").read_text(encoding="utf-8")
ENV_EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
ALL = "\n".join((README, AGENTS, EXAMPLES))
KEY = "sk-of-the-readme-test"
COMMAND = ".venv/bin/chatgpt-codex"
NEEDS_DOCKER = "docker compose up -d --build"

OF_OTHERS = {"OPENAI_API_BASE_URL"}
"""Open WebUI's own."""
SETTING = re.compile(r"(?:OPENAI|CHATGPT_CODEX|CODEX)_[A-Z_]+|NO_COLOR")


def fenced(document: str, language: str = "") -> list[str]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", document, re.DOTALL | re.MULTILINE)
    return [text for named, text in blocks if named == language]


def command_lines(document: str) -> list[str]:
    return [line.partition("  #")[0].strip() for block in fenced(document) for line in block.splitlines()]


def in_code(document: str) -> str:
    """What stands in code blocks and in code spans."""
    return "\n".join([*fenced(document), *fenced(document, "python"), *re.findall(r"`([^`\n]+)`", document)])


def table_below(heading: str, number: int = 0) -> list[list[str]]:
    """The cells of a table in the README, without its first two rows."""
    section = re.split(r"^#+ ", README.split(f" {heading}\n")[1], flags=re.MULTILINE)[0]
    tables = re.findall(r"(?:^\|.*\|\n)+", section, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in tables[number].splitlines()[2:]]


def commands_below(group: click.Group, above: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{above}{name}", command
        if isinstance(command, click.Group):
            yield from commands_below(command, f"{above}{name} ")


def texts_in_the_code() -> set[str]:
    return {
        node.value
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


# Commands


@pytest.fixture
def clone(tmp_path: Path, backend: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the example graphs, which answer at once here, and AutoGPT in the home folder."""
    folder = tmp_path / "clone"
    shutil.copytree(ROOT / "example_graphs", folder / "example_graphs")
    for script in folder.glob("example_graphs/*.yaml"):
        script.write_text(re.sub(r"^ +(?:delay_ms|first|each):.*\n", "", script.read_text(), flags=re.MULTILINE))
    shutil.move(backend, Path.home() / "AutoGPT" / "autogpt_platform" / "backend")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("document", [README, EXAMPLES, AGENTS], ids=["README", "example_graphs", "AGENTS"])
def test_every_command_runs(
    document: str,
    clone: Path,
    simulate: Callable[..., Simulator],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    simulator = simulate()
    base_url, plan_url = simulator.base_url, simulator.chatgpt_url
    monkeypatch.delenv("OPENAI_BASE_URL")
    run_id = _a_stopped_run(capsys)
    for line in command_lines(document):
        if line.startswith("make "):
            assert f"\n{line.split()[1]}:" in MAKEFILE, line
            continue
        if line.endswith(NEEDS_DOCKER):
            continue
        words = [
            run_id if word == "ID" else str(Path(word).expanduser()) if word[0] == "~" else word
            for word in shlex.split(line)
        ]
        with monkeypatch.context() as patch:
            if words[0] == "OPENAI_API_KEY=sk-…":
                patch.setenv("OPENAI_API_KEY", KEY)
                patch.setenv("OPENAI_BASE_URL", base_url)
                del words[0]
            if "--account" in words:
                patch.setenv("CHATGPT_CODEX_BASE_URL", plan_url)
                patch.setenv("CODEX_OAUTH_ACCESS_TOKEN", KEY)
                patch.setenv("CODEX_OAUTH_ACCOUNT_ID", "account-1")
            assert words[0] == COMMAND, f"{line}: say here how this line is to be tested"
            if words[1] == "serve":
                serve_command.make_context("serve", words[2:])
                continue
            if words[1] == "simulate":
                _would_serve(words[2:])
                continue
            code = main(words[1:])
        out, err = capsys.readouterr()
        assert code == 0, f"{line}\n{out}\n{err}"
        assert KEY not in out + err


def _a_stopped_run(capsys: pytest.CaptureFixture[str]) -> str:
    """A run of the team that can be resumed."""
    assert main(["run", "example_graphs/software_team.json", "--deadline", "0.01", "--simulate"]) == 1
    capsys.readouterr()
    main(["runs", "--json"])
    return cast("str", json.loads(capsys.readouterr().out)["runs"][0]["id"])


def _would_serve(arguments: list[str]) -> None:
    """Its port may be taken on the machine that tests, so only its arguments are looked at."""
    script = simulate_command.make_context("simulate", arguments).params["script"]
    assert load_script(script).rules


def test_the_python_runs(
    simulate: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    simulator = simulate(
        {
            "rules": [
                {"when": {"input": "Sunny in Rome"}, "answer": {"text": "It is sunny in Rome."}},
                {
                    "when": {"tools": ["get_weather"]},
                    "answer": {"tool_calls": [{"name": "get_weather", "arguments": {"city": "Rome"}}]},
                },
                {"when": {"schema": "Recipe"}, "answer": {"json": {"title": "Tea", "minutes": 5}}},
                {"answer": {"text": "Hello.", "usage": {"input_tokens": 3, "output_tokens": 2}}},
            ]
        }
    )
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("CHATGPT_CODEX_BASE_URL", simulator.chatgpt_url)
    monkeypatch.setenv("CODEX_OAUTH_ACCESS_TOKEN", KEY)
    monkeypatch.setenv("CODEX_OAUTH_ACCOUNT_ID", "account-1")
    # The later ones go on from the earlier.
    names: dict[str, object] = {"__name__": "readme"}
    printed = []

    # Those of the gateway's clients have tests of their own.
    for block in fenced(README.split("### Set up a client")[0], "python"):
        exec(compile(block, "README.md", "exec"), names)
        printed.append(capsys.readouterr().out)

    assert printed == [
        "success Hello. 5\n",
        "Hello.\nHello.",
        "It is sunny in Rome.\n",
        "Tea 5\n",
        "Hello. stop 12.5\ntext_delta usage done ",
    ]


def test_every_make_target_in_the_text_is_there() -> None:
    for name in re.findall(r"`make ([a-z]+)`", ALL):
        assert f"\n{name}:" in MAKEFILE


def test_every_subcommand_is_named() -> None:
    code = in_code(README)
    for path, _ in commands_below(cli):
        *_, name = path.split()
        assert re.search(rf"(?<![-\w]){name}(?![-\w.])", code), f"the README does not name: {path}"
    for path in set(re.findall(r"`chatgpt-codex ([a-z]+)[` ]", ALL)):
        assert path in dict(commands_below(cli))


def test_every_option_is_there() -> None:
    options = {
        option for _, command in commands_below(cli) for parameter in command.params for option in parameter.opts
    }
    assert set(re.findall(r"(?<!\S)`?(--[a-z-]+)", ALL)) - {"--build"} <= options


# Tables and texts


def test_every_setting_is_in_the_table_and_in_the_code() -> None:
    in_table = {name for row in table_below("Configuration") for name in row[0].split(", ")}
    of_gateway = [name for row in table_below("Serve the gateway", 1) for name in row[0].split(", ")]
    assert in_table == {text for text in texts_in_the_code() if SETTING.fullmatch(text)}
    assert sorted(of_gateway) == sorted(name.upper() for name in GatewaySettings.model_fields)
    assert set(SETTING.findall(ALL)) - OF_OTHERS <= in_table | set(of_gateway)


def test_the_example_of_an_env_file_has_every_setting_of_the_gateway(tmp_path: Path) -> None:
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", ENV_EXAMPLE, re.MULTILINE))
    of_backends = {"OPENAI_API_KEY", "OPENAI_BASE_URL", "CODEX_HOME", "CODEX_CONFIG", "CODEX_PASS_ENV"}
    assert named == {name.upper() for name in GatewaySettings.model_fields} | of_backends
    whole = tmp_path / ".env"
    whole.write_text(re.sub(r"^# ([A-Z_]+=)", r"\1", ENV_EXAMPLE, flags=re.MULTILINE))
    settings, variables = load_settings({}, env_file=whole)
    assert [upstream.name for upstream in settings.upstreams] == ["openai", "local"]
    assert settings.model_copy(update={"upstreams": ()}) == GatewaySettings()
    assert variables["OPENAI_BASE_URL"] == OPENAI_BASE_URL


def test_the_default_models_are_those_of_the_code() -> None:
    defaults = {row[0]: row[2] for row in table_below("Configuration")}
    for mode in ("chat", "code"):
        name = f"CHATGPT_CODEX_{mode.upper()}_MODEL"
        assert f'"{name}", "{defaults[name]}"' in (PACKAGE / "_config.py").read_text()


def test_every_message_is_one_that_the_code_has() -> None:
    texts = texts_in_the_code()
    for row in table_below("What an error means"):
        for piece in re.split(r" / |…", row[0]):
            words = piece.strip()
            assert not words or any(words in text for text in texts), f"no message has: {words}"


def test_every_pin_of_the_block_is_in_the_tables() -> None:
    inputs = [
        name
        for first, second in table_below("ChatGPT Codex")
        for name in (second if first == "*advanced*" else first).split(", ")
    ]
    outputs = [name for row in table_below("ChatGPT Codex", 1) for name in row[0].split(", ")]
    assert sorted(inputs) == sorted(ChatGPTCodexBlock.Input.model_fields.keys() - {"credentials"})
    assert sorted(outputs) == sorted(ChatGPTCodexBlock.Output.model_fields)


def test_every_pin_of_codex_task_is_in_the_tables() -> None:
    inputs = [
        name
        for first, second in table_below("Codex Task")
        for name in (second if first == "*advanced*" else first).split(", ")
    ]
    outputs = [name for row in table_below("Codex Task", 1) for name in row[0].split(", ")]
    assert sorted(inputs) == sorted(CodexTaskBlock.Input.model_fields.keys() - {"credentials"})
    assert sorted(outputs) == sorted(CodexTaskBlock.Output.model_fields)


def test_every_pin_of_the_roles_is_in_the_table() -> None:
    blocks: dict[str, Block] = {
        "Project Manager": ProjectManagerBlock(),
        "Business Analyst": BusinessAnalystBlock(),
        "Developer": DeveloperBlock(),
        "Reviewer": ReviewerBlock(),
    }
    shared_inputs = set.intersection(*(set(block.input_schema.model_fields) for block in blocks.values()))
    shared_outputs = set.intersection(*(set(block.output_schema.model_fields) for block in blocks.values()))
    rows = table_below("The roles")
    assert [row[0] for row in rows] == list(blocks)
    for name, taken, made in rows:
        assert set(taken.split(", ")) == blocks[name].input_schema.model_fields.keys() - shared_inputs
        assert set(re.findall(r"\w+", made)) >= blocks[name].output_schema.model_fields.keys() - shared_outputs


def test_every_file_in_the_text_is_there() -> None:
    paths = re.findall(r"(?:example_graphs|chatgpt_codex|benchmarks|tests)/[\w./]*\w", README)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_example_is_in_the_table_and_there() -> None:
    named = set(re.findall(r"^\| `(\w+\.json)` \|", EXAMPLES, re.MULTILINE))
    assert named == {path.name for path in (ROOT / "example_graphs").glob("*.json")}


def test_the_map_has_every_module_and_folder() -> None:
    table = AGENTS.split("## Map")[1].split("\n\n")[1]
    named = {
        name.rstrip("/") for row in table.splitlines()[2:] for name in re.findall(r"`([\w./]+)`", row.split("|")[1])
    }
    there = {path.name for path in PACKAGE.iterdir() if path.suffix != ".typed" and path.name[:2] != "__"}
    assert there - {"_version.py"} <= named
    assert [name for name in named if not (PACKAGE / name).exists() and not (ROOT / name).exists()] == []


def test_the_documents_name_no_folder_of_this_machine() -> None:
    assert str(Path(os.sep, "home")) not in ALL
