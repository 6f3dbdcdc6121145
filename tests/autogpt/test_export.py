"""No input of ours is lost when a graph is exported: AutoGPT drops those that are named like secrets."""

import json
from pathlib import Path

import pytest

import chatgpt_codex
from chatgpt_codex.block_sdk import Block

GRAPHS = sorted((Path(__file__).parents[2] / "example_graphs").glob("*.json"))
BLOCKS = [getattr(chatgpt_codex, name) for name in chatgpt_codex.__all__ if name.endswith("Block")]
DROPPED = ("token", "secret", "password", "api_key", "credentials")


def exported(inputs: dict[str, object]) -> dict[str, object]:
    """What an export keeps of a node's inputs."""
    return {
        name: value
        for name, value in inputs.items()
        if isinstance(value, bool) or not any(word in name.lower() for word in DROPPED)
    }


def test_there_is_something_to_check() -> None:
    assert len(BLOCKS) == 6
    assert GRAPHS


@pytest.mark.parametrize("block_class", BLOCKS, ids=lambda block_class: block_class.__name__)
def test_every_input_of_our_blocks_survives(block_class: type[Block]) -> None:
    schema = block_class().input_schema
    names = set(schema.model_fields) - set(schema.get_credentials_fields())

    assert exported(dict.fromkeys(names, "a value")).keys() == names
    assert set(schema.get_credentials_fields()) == {"credentials"}


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: path.stem)
def test_every_input_of_the_example_graphs_survives(path: Path) -> None:
    graph = json.loads(path.read_text())

    for node in [*graph["nodes"], *(node for sub in graph.get("sub_graphs", ()) for node in sub["nodes"])]:
        assert exported(node["input_default"]) == node["input_default"], node["id"]


@pytest.mark.parametrize("path", GRAPHS, ids=lambda path: path.stem)
def test_every_pin_that_an_example_links_survives(path: Path) -> None:
    links = json.loads(path.read_text())["links"]

    assert [link["sink_name"] for link in links if not exported({link["sink_name"]: "a value"})] == []


def test_the_rule_that_is_tested_is_the_platform_s() -> None:
    assert exported({"max_output_tokens": 5, "API_KEY": "k", "output_limit": 5, "secret": True}) == {
        "output_limit": 5,
        "secret": True,
    }
