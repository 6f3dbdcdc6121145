from collections.abc import Callable, Mapping
from typing import Any

import pytest

from chatgpt_codex.block_sdk import (
    APIKeyCredentials,
    Block,
    BlockExecutionError,
    BlockInputError,
    BlockOutput,
    BlockSchemaInput,
    BlockSchemaOutput,
    BlockTestError,
    CredentialsMetaInput,
    ProviderBuilder,
    SchemaField,
    run_block_test,
)

provider = ProviderBuilder("openai").with_api_key("OPENAI_API_KEY", "OpenAI API Key").build()
REFERENCE = {"id": "x", "provider": "openai", "type": "api_key", "title": "t"}


class Input(BlockSchemaInput):
    text: str = SchemaField(default="default")


class OneCredential(BlockSchemaInput):
    credentials: CredentialsMetaInput = provider.credentials_field()


class TwoCredentials(OneCredential):
    mail_credentials: CredentialsMetaInput = provider.credentials_field()


class Output(BlockSchemaOutput):
    text: str = SchemaField()
    anything: Any = SchemaField()


def recorder(seen: list[Any]) -> Callable[[object], bool]:
    def record(value: object) -> bool:
        seen.append(value)
        return True

    return record


class TestedBlock(Block):
    """Fails on "boom", repeats any other text, and answers "?" by asking a model, which tests must not do."""

    __test__ = False

    def __init__(self, test_input: Any = None, test_output: Any = None, **more: Any) -> None:
        super().__init__(
            id="0d0c5b1e-6f1b-4c55-9a53-3f9f4d2a7f12",
            **{"input_schema": Input, **more},
            output_schema=Output,
            test_input=test_input,
            test_output=test_output,
        )

    async def run(self, input_data: Any, **kwargs: Any) -> BlockOutput:
        if not isinstance(input_data, Input):
            yield "anything", {name: value for name, value in kwargs.items() if name.endswith("credentials")}
        elif input_data.text == "?":
            yield "text", await self.ask(input_data.text, self.prefix())
        elif input_data.text == "ids":
            yield "anything", kwargs
        else:
            yield "error" if input_data.text == "boom" else "text", input_data.text

    async def ask(self, question: str, prefix: str) -> str:
        raise AssertionError(f"a test asked a model: {prefix}{question}")

    def prefix(self) -> str:
        return "real: "

    async def stream(self) -> BlockOutput:
        yield "text", "never"


@pytest.mark.parametrize(
    ("test_input", "test_output"),
    [
        ({"text": "x"}, ("text", "x")),
        ({"text": "x"}, [("text", "x")]),
        ({"text": "x"}, ("text", str)),
        ({"text": "x"}, ("text", lambda text: text == "x")),
        ([{"text": "x"}, {"text": "y"}], [("text", "x"), ("text", "y")]),
        # Without test data there is nothing to compare.
        (None, ("text", "x")),
        ([], ("text", "x")),
        ({"text": "x"}, None),
        ({"text": "x"}, []),
    ],
)
async def test_a_block_that_gives_what_it_says_passes(test_input: object, test_output: object) -> None:
    await run_block_test(TestedBlock(test_input, test_output))


@pytest.mark.parametrize(
    ("test_output", "message"),
    [
        (("text", "y"), "TestedBlock: output 1 on 'text' is 'x', expected 'y'"),
        (("anything", "x"), "TestedBlock: output 1 is on pin 'text', expected on 'anything'; it is 'x'"),
        (("text", int), "TestedBlock: output 1 on 'text' is of type str, expected int"),
        (
            ("text", lambda text: text == "y"),
            "TestedBlock: output 1 on 'text' does not satisfy the predicate of test_output: 'x'",
        ),
        (
            [("text", "x"), ("text", "x"), ("anything", 1)],
            "TestedBlock: gave 1 of 3 outputs; missing: 'text', 'anything'",
        ),
        ((("text", "x"), ("text", "x")), "test_output must be one (pin, expectation) tuple or a list of them"),
        (("text", "x", "y"), "test_output must be one (pin, expectation) tuple or a list of them"),
        (["text"], "test_output must be one (pin, expectation) tuple or a list of them"),
    ],
)
async def test_the_output_that_differs_is_named(test_output: object, message: str) -> None:
    with pytest.raises(BlockTestError) as caught:
        await run_block_test(TestedBlock({"text": "x"}, test_output))

    assert str(caught.value) == message


async def test_an_output_too_many_is_named() -> None:
    block = TestedBlock([{"text": "x"}, {"text": "y"}], ("text", "x"))

    with pytest.raises(BlockTestError, match=r"^TestedBlock: output 2 was not expected: 'text' 'y'$"):
        await run_block_test(block)


async def test_an_error_cannot_be_expected() -> None:
    with pytest.raises(BlockExecutionError, match="raised by TestedBlock with message: boom"):
        await run_block_test(TestedBlock({"text": "boom"}, ("error", "boom")))


async def test_inputs_are_validated() -> None:
    with pytest.raises(BlockInputError):
        await run_block_test(TestedBlock({"text": 5}, ("text", "5")))


async def test_mocks_replace_methods_for_the_test_only() -> None:
    calls: list[tuple[object, ...]] = []

    def ask(*arguments: object) -> str:
        calls.append(arguments)
        return "answer"

    block = TestedBlock({"text": "?"}, ("text", "answer"), test_mock={"ask": ask, "prefix": lambda: "mock: "})

    await run_block_test(block)

    assert calls == [("?", "mock: ")]
    assert block.prefix() == "real: "


async def test_mocks_are_removed_when_the_test_fails() -> None:
    block = TestedBlock({"text": "x"}, ("text", "y"), test_mock={"prefix": lambda: "mock: "})

    with pytest.raises(BlockTestError):
        await run_block_test(block)

    assert block.prefix() == "real: "


async def async_mock() -> str:
    return "x"


@pytest.mark.parametrize(
    ("mocks", "message"),
    [
        ({"stream": lambda: "x"}, "TestedBlock: 'stream' is an async generator, which test_mock cannot replace"),
        ({"asks": lambda: "x"}, "TestedBlock: test_mock names 'asks', which is not a method of the block"),
        (
            {"ask": async_mock},
            "TestedBlock: the mock of 'ask' must be a plain function, also for an async method",
        ),
        ({"ask": "x"}, "TestedBlock: the mock of 'ask' must be a plain function, also for an async method"),
    ],
)
async def test_a_mock_that_cannot_work_is_refused(mocks: dict[str, Any], message: str) -> None:
    with pytest.raises(BlockTestError) as caught:
        await run_block_test(TestedBlock({"text": "x"}, ("text", "x"), test_mock=mocks))

    assert str(caught.value) == message


KEY = provider.get_test_credentials()
OTHER_KEY = APIKeyCredentials(provider="openai", api_key=KEY.api_key)


@pytest.mark.parametrize(
    ("schema", "given", "passed"),
    [
        (OneCredential, KEY, {"credentials": KEY}),
        (OneCredential, {"credentials": KEY}, {"credentials": KEY}),
        (OneCredential, None, {}),
        (
            TwoCredentials,
            {"credentials": KEY, "mail_credentials": OTHER_KEY},
            {"credentials": KEY, "mail_credentials": OTHER_KEY},
        ),
        (TwoCredentials, {"mail_credentials": KEY}, {"mail_credentials": KEY}),
        (Input, KEY, {}),
    ],
)
async def test_credentials_are_passed_by_the_name_of_their_input(
    schema: type[BlockSchemaInput], given: object, passed: Mapping[str, object]
) -> None:
    seen: list[object] = []
    test_input = {"text": "ids"} if schema is Input else dict.fromkeys(schema.get_fields(), REFERENCE)
    block = TestedBlock(
        test_input,
        ("anything", recorder(seen)),
        input_schema=schema,
        test_credentials=given,
    )

    await run_block_test(block)

    [received] = seen
    assert isinstance(received, dict)
    assert {name: value for name, value in received.items() if name.endswith("credentials")} == passed


async def test_one_credential_for_two_inputs_is_refused() -> None:
    block = TestedBlock(
        {"credentials": REFERENCE, "mail_credentials": REFERENCE},
        ("anything", dict),
        input_schema=TwoCredentials,
        test_credentials=KEY,
    )

    with pytest.raises(BlockTestError, match="test_credentials is one object for 2 inputs: give a dict by input name"):
        await run_block_test(block)


async def test_a_run_is_told_where_it_runs() -> None:
    seen: list[dict[str, object]] = []
    block = TestedBlock({"text": "ids"}, ("anything", recorder(seen)))

    await run_block_test(block)

    assert seen == [
        {
            "graph_id": "test-graph-id",
            "graph_exec_id": "test-graph-exec-id",
            "graph_version": 1,
            "node_id": "test-node-id",
            "node_exec_id": "test-node-exec-id",
            "user_id": "test-user-id",
        }
    ]
