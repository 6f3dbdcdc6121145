"""How models are described to the program."""

from collections.abc import Callable
from pathlib import Path

import orjson

from chatgpt_codex.codex_agent.catalogue import without_code_mode, write_catalogue
from chatgpt_codex.codex_agent.settings import CodexSettings

from .conftest import Setup


async def test_no_model_is_left_in_code_mode(agent: Callable[..., Setup]) -> None:
    path = await write_catalogue(agent().agent.settings)

    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600
    models = orjson.loads(path.read_bytes())["models"]
    path.unlink()
    assert "gpt-6-luna" in {model["slug"] for model in models}
    for model in models:
        assert not {"tool_mode", "multi_agent_version"} & model.keys()
        assert model["use_responses_lite"] is False
        assert model["context_window"] > 100_000
        assert model["base_instructions"] == ""


async def test_a_program_that_tells_no_models_keeps_its_own(agent: Callable[..., Setup]) -> None:
    settings = agent().agent.settings
    settings.home.mkdir(exist_ok=True)
    mute = CodexSettings.from_environ({"CODEX_HOME": str(settings.home), "CODEX_PATH": "/bin/true"})

    assert await write_catalogue(mute) is None


def test_what_is_no_catalogue_gives_none() -> None:
    assert without_code_mode(b"not JSON", with_instructions=True) is None
    assert without_code_mode(b'{"models": []}', with_instructions=True) is None


async def test_an_agent_in_a_folder_keeps_its_instructions(agent: Callable[..., Setup], home: Path) -> None:
    path = await write_catalogue(agent(CODEX_WORKSPACE=str(home)).agent.settings)

    assert path is not None
    models = orjson.loads(path.read_bytes())["models"]
    path.unlink()
    assert all(len(model["base_instructions"]) > 1000 for model in models)
