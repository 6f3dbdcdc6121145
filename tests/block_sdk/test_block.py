import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from chatgpt_codex.block_sdk import (
    APIKeyCredentials,
    Block,
    BlockError,
    BlockExecutionError,
    BlockInputError,
    BlockOutput,
    BlockOutputError,
    BlockSchemaInput,
    BlockSchemaOutput,
    BlockType,
    BlockUnknownError,
    NodeExecutionStats,
    ProviderBuilder,
    SchemaField,
)

ID = "0d0c5b1e-6f1b-4c55-9a53-3f9f4d2a7f10"
provider = ProviderBuilder("openai").with_api_key("OPENAI_API_KEY", "OpenAI API Key").build()


class File(BaseModel):
    path: str


class Input(BlockSchemaInput):
    count: int = SchemaField()
    text: str = SchemaField(default="a", max_length=5)
    note: str | None = SchemaField(default="n")

    @field_validator("text")
    @classmethod
    def refuse_bad_text(cls, text: str) -> str:
        if text == "bad":
            raise ValueError("is on the list of bad words")
        return text


class Output(BlockSchemaOutput):
    text: str = SchemaField()
    files: list[File] = SchemaField()
    anything: Any = SchemaField()


Run = Callable[[Input], AsyncGenerator[tuple[str, object], None]]


class ScriptedBlock(Block[Input, Output]):
    """Does what the test hands it."""

    def __init__(self, script: Run | None = None, block_type: BlockType = BlockType.STANDARD) -> None:
        super().__init__(id=ID, input_schema=Input, output_schema=Output, block_type=block_type)
        self._script = script

    def run(self, input_data: Input, **_: Any) -> BlockOutput:
        assert self._script is not None
        return self._script(input_data)


def yielding(*outputs: object, then: Exception | None = None) -> Run:
    async def run(_: Input) -> AsyncGenerator[Any, None]:
        for output in outputs:
            yield output
        if then:
            raise then

    return run


async def outputs_of(block: Block, data: Mapping[str, object]) -> tuple[list[tuple[str, object]], BlockError | None]:
    outputs: list[tuple[str, object]] = []
    try:
        async for pin, value in block.execute(data):
            outputs.append((pin, value))
    except BlockError as error:
        return outputs, error
    return outputs, None


async def test_run_receives_the_model_and_the_arguments() -> None:
    class EchoBlock(Block):
        def __init__(self) -> None:
            super().__init__(id=ID, input_schema=Input, output_schema=Output)

        async def run(self, input_data: Input, *, credentials: APIKeyCredentials, **kwargs: Any) -> BlockOutput:
            yield "anything", [input_data.model_dump(), credentials.provider, kwargs]

    outputs = [
        output
        async for output in EchoBlock().execute(
            {"count": 1.0, "text": None, "note": None, "unknown": 5},
            credentials=provider.get_test_credentials(),
            node_id="n",
        )
    ]

    # None counts as not given, so the defaults hold.
    assert outputs == [("anything", [{"count": 1, "text": "a", "note": "n"}, "openai", {"node_id": "n"}])]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "lacks 'count'"),
        ({"count": None}, "lacks 'count'"),
        ({"count": "1"}, "'count' must be of type integer, not a text"),
        ({"count": True}, "'count' must be of type integer, not true"),
        ({"count": 1, "text": "secret"}, "'text' must have at most 5 characters, not 6"),
        ({"count": 1, "text": "bad"}, "'text' Value error, is on the list of bad words"),
    ],
)
async def test_inputs_that_do_not_fit_never_run(data: dict[str, object], reason: str) -> None:
    outputs, error = await outputs_of(ScriptedBlock(), data)

    assert outputs == []
    assert isinstance(error, BlockInputError)
    assert isinstance(error, ValueError)
    assert error.message == f"Cannot run with these inputs: {reason}"
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "output",
    [
        ("text", "x"),
        ("files", [{"path": "x"}]),
        ("files", [File(path="x")]),
        ("files", (File(path="x"),)),
        ("anything", None),
        ("anything", {1: {2, 3}}),
    ],
)
async def test_a_value_that_fits_is_passed_on_as_it_is(output: tuple[str, object]) -> None:
    outputs, error = await outputs_of(ScriptedBlock(yielding(output)), {"count": 1})

    assert error is None
    assert outputs == [output]
    assert outputs[0][1] is output[1]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (("text", None), "Output 'text' does not fit its schema: must be of type string, not null"),
        (("text", 5), "Output 'text' does not fit its schema: must be of type string, not 5"),
        (("files", [{}]), "Output 'files' does not fit its schema: '[0]' lacks 'path'"),
        (("nope", 1), "there is no pin 'nope'; the pins are: error, text, files, anything"),
        (
            ("anything", object()),
            "Output 'anything' does not fit its schema: cannot be written as JSON: it is of type object",
        ),
    ],
)
async def test_a_value_that_does_not_fit_fails_after_those_before_it(output: object, message: str) -> None:
    outputs, error = await outputs_of(ScriptedBlock(yielding(("text", "x"), output)), {"count": 1})

    assert outputs == [("text", "x")]
    assert isinstance(error, BlockOutputError)
    assert isinstance(error, ValueError)
    assert error.message == message


@pytest.mark.parametrize("block_type", [BlockType.INPUT, BlockType.OUTPUT, BlockType.AGENT])
async def test_only_standard_blocks_have_their_outputs_checked(block_type: BlockType) -> None:
    block = ScriptedBlock(yielding(("text", None), ("nope", 2)), block_type)

    assert await outputs_of(block, {"count": 1}) == ([("text", None), ("nope", 2)], None)


@pytest.mark.parametrize(
    ("script", "kind", "message"),
    [
        (yielding(("error", "boom"), ("text", "never")), BlockExecutionError, "boom"),
        (yielding(("error", 5)), BlockExecutionError, "5"),
        (yielding(("error", "")), BlockExecutionError, ""),
        (yielding(("error", None)), BlockExecutionError, "it failed without saying why"),
        (yielding(then=ValueError("bad value")), BlockExecutionError, "bad value"),
        (yielding(then=RuntimeError("broken")), BlockUnknownError, "broken"),
        (yielding(then=KeyError("k")), BlockUnknownError, "'k'"),
        (yielding(then=RuntimeError()), BlockUnknownError, "Unknown error occurred"),
        (yielding(5), BlockUnknownError, "cannot unpack non-iterable int object"),
        (yielding(("a", "b", "c")), BlockExecutionError, "too many values to unpack (expected 2)"),
    ],
)
async def test_how_a_block_fails(script: Run, kind: type[BlockError], message: str) -> None:
    outputs, error = await outputs_of(ScriptedBlock(script), {"count": 1})

    assert outputs == []
    assert type(error) is kind
    assert error.message == message
    assert str(error) == f"raised by ScriptedBlock with message: {message}. block_id: {ID}"
    # ValueError means that the user can mend it, anything else that the block is broken.
    assert isinstance(error, ValueError) is (kind is BlockExecutionError)


async def test_the_cause_of_a_failure_is_kept() -> None:
    cause = RuntimeError("broken")

    _, error = await outputs_of(ScriptedBlock(yielding(then=cause)), {"count": 1})

    assert error is not None
    assert error.__cause__ is cause


async def test_a_block_s_own_error_passes_unchanged() -> None:
    inner = BlockInputError("inner", "InnerBlock", "1")

    _, error = await outputs_of(ScriptedBlock(yielding(then=inner)), {"count": 1})

    assert error is inner


async def test_a_run_that_does_not_yield_is_a_defect() -> None:
    block = ScriptedBlock(lambda _: None)  # type: ignore[arg-type, return-value]

    _, error = await outputs_of(block, {"count": 1})

    assert type(error) is BlockUnknownError
    assert error.message == "run() must be an async generator: let it `yield` its outputs"


def endless(closed: list[bool], reached: asyncio.Event) -> Run:
    async def run(_: Input) -> AsyncGenerator[tuple[str, object], None]:
        try:
            yield "text", "x"
            reached.set()
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    return run


async def test_a_caller_that_stops_early_closes_the_run_at_once() -> None:
    closed: list[bool] = []

    async with aclosing(ScriptedBlock(endless(closed, asyncio.Event())).execute({"count": 1})) as outputs:
        await anext(outputs)

    assert closed == [True]


async def test_cancelling_closes_the_run_and_is_not_a_failure() -> None:
    closed: list[bool] = []
    reached = asyncio.Event()
    task = asyncio.create_task(outputs_of(ScriptedBlock(endless(closed, reached)), {"count": 1}))
    await reached.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == [True]


def test_stats_add_up_on_the_instance() -> None:
    block = ScriptedBlock()

    block.merge_stats(NodeExecutionStats(llm_call_count=1, input_token_count=10))
    total = block.merge_stats(NodeExecutionStats(llm_call_count=1, llm_retry_count=2))

    assert total is block.execution_stats
    assert (total.llm_call_count, total.llm_retry_count, total.input_token_count) == (2, 2, 10)
    assert ScriptedBlock().execution_stats.llm_call_count == 0


def test_a_block_is_named_after_its_class() -> None:
    assert ScriptedBlock().name == "ScriptedBlock"


def test_a_block_that_cannot_run_cannot_be_made() -> None:
    class IdleBlock(Block):
        pass

    with pytest.raises(TypeError, match="run"):
        IdleBlock(id=ID)  # type: ignore[abstract]
