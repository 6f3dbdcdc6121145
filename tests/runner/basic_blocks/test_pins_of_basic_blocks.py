"""The basic blocks' ids and pins are the platform's, so that its graphs run here unchanged."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from chatgpt_codex.block_sdk import Block
from chatgpt_codex.runner.basic_blocks import BASIC_BLOCKS
from chatgpt_codex.runner.platform_blocks import PLATFORM_BLOCKS
from chatgpt_codex.runner.registry import BlockRegistry, DuplicateBlockError

EXPECTED = json.loads((Path(__file__).parent / "platform_pins.json").read_text())
BLOCKS = {block.id: block for block in (factory() for factory in BASIC_BLOCKS)}


def without_words(pins: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: {key: value for key, value in schema.items() if key not in {"description", "placeholder"}}
        for name, schema in pins.items()
    }


def test_every_expected_block_is_there() -> None:
    assert set(BLOCKS) == {entry["id"] for entry in EXPECTED}


@pytest.mark.parametrize("entry", EXPECTED, ids=[entry["name"] for entry in EXPECTED])
def test_pins_are_the_platforms(entry: dict[str, Any]) -> None:
    block = BLOCKS[entry["id"]]
    inputs, outputs = block.input_schema.jsonschema(), block.output_schema.jsonschema()
    assert (block.name, block.block_type.value, block.static_output) == (
        entry["name"],
        entry["kind"],
        entry["static"],
    )
    assert inputs.get("required", []) == entry["required"]
    assert without_words(inputs.get("properties", {})) == entry["inputs"]
    assert without_words(outputs.get("properties", {})) == entry["outputs"]
    assert PLATFORM_BLOCKS[block.id] == block.name


@pytest.mark.parametrize("block", BLOCKS.values(), ids=lambda block: block.name)
def test_is_our_own_block_whose_inputs_convert(block: Any) -> None:
    # On AutoGPT's own Block, these would be registered there a second time.
    assert isinstance(block, Block)
    assert not any(isinstance(wanted, str) for wanted in inspect.get_annotations(block.input_schema).values())
    words = {**block.input_schema.jsonschema()["properties"], **block.output_schema.jsonschema().get("properties", {})}
    assert all(schema.get("description") for schema in words.values())


def test_a_registry_takes_more_blocks_but_none_twice() -> None:
    from chatgpt_codex.runner.basic_blocks.values import NoteBlock

    with pytest.raises(DuplicateBlockError) as caught:
        BlockRegistry.with_basic_blocks(NoteBlock)
    assert str(caught.value) == (
        "NoteBlock and NoteBlock have the same block id cc10ff7b-7753-4ff2-9af6-9399b1a7eddc. Register one of them."
    )
