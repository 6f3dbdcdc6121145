"""ChatGPTCodexBlock: asks an OpenAI model in chat or code mode.

No future import here: the platform converts inputs by the annotations of the Input class, and as strings they would
convert nothing.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any, Literal

from ._config import RUN_COST, Mode, openai_provider
from ._host import (
    APIKeyCredentials,
    Block,
    BlockCategory,
    BlockOutput,
    BlockSchemaInput,
    BlockSchemaOutput,
    CredentialsMetaInput,
    SchemaField,
    cost,
)
from ._model_settings import (
    EffortChoice,
    ModelChoice,
    ServiceTierChoice,
    VerbosityChoice,
    custom_model_field,
    fallback_model_field,
    max_retries_field,
    model_field,
    output_limit_field,
    question_of,
    reasoning_effort_field,
    service_tier_field,
    temperature_field,
    timeout_seconds_field,
    verbosity_field,
)
from ._outcome import problem_of, stats_of
from .llm.asking import Answer, Question, ask
from .llm.code_fences import CodeBlock, code_blocks_of
from .llm.dialects import read_history, read_images, read_tools
from .llm.errors import InvalidRequestError, ModelError
from .llm.messages import InputItem, Message, TextPart, ToolCall
from .llm.requests import HostedTool
from .llm.results import Result, Usage
from .llm.structured import schema_format

CHAT_PROMPT = "You are a helpful assistant. Answer clearly and to the point."
CODE_PROMPT = (
    "You are an expert software engineer. Answer with complete, working code. Put each file into a fenced block of its "
    "own and name the language and the path after the opening fence, like this: ```python path=src/app.py. "
    "Keep explanations outside the blocks and short."
)

BlockPins = Iterator[tuple[str, object]]

_TEST_RESULT = Result(
    text="",
    finish_reason="stop",
    model="gpt-6-luna",
    response_id="resp_test",
    usage=Usage(input_tokens=20, output_tokens=4, total_tokens=24),
)
_TEST_CODE = "print('Hello.')\n"
_TEST_DETAILS = [
    ("response_id", "resp_test"),
    ("model", "gpt-6-luna"),
    ("finish_reason", "stop"),
    ("usage", asdict(_TEST_RESULT.usage)),
]


@cost(RUN_COST)
class ChatGPTCodexBlock(Block):
    """Asks an OpenAI model; see the description given to the builder below."""

    class Input(BlockSchemaInput):
        """The pins on the left, the published ones first."""

        credentials: CredentialsMetaInput = openai_provider.credentials_field(
            description="Your OpenAI API key, or the key of whatever server the operator has put in its place."
        )
        mode: Literal["chat", "code"] = SchemaField(
            description="chat answers questions; code writes programs and sends each fenced block to `code_blocks`.",
            default="chat",
            advanced=False,
        )
        system_prompt: str = SchemaField(
            description="How the model is to behave. Left as it is, code mode uses instructions made for coding.",
            default=CHAT_PROMPT,
            advanced=False,
        )
        user_prompt: str = SchemaField(
            description="What you ask for.",
            placeholder="Write a function that removes duplicate lines from a text file.",
        )
        temperature: float = temperature_field(advanced=False)
        model: ModelChoice = model_field()
        custom_model: str = custom_model_field()
        reasoning_effort: EffortChoice = reasoning_effort_field()
        verbosity: VerbosityChoice = verbosity_field()
        output_limit: int | None = output_limit_field()
        images: list[str] = SchemaField(
            description="Images to look at: web addresses or data URLs (data:image/png;base64,…).",
            default_factory=list,
            advanced=True,
        )
        history: list[dict[str, Any]] = SchemaField(
            description='Earlier turns: {"role": "user" or "assistant", "content": "…"}, or Responses API items.',
            default_factory=list,
            advanced=True,
        )
        previous_response_id: str = SchemaField(
            description="Continues an earlier answer: link the `response_id` of a node that has `store` on.",
            default="",
            advanced=True,
        )
        output_schema: dict[str, Any] = SchemaField(
            description="A JSON schema. The answer is then JSON that fits it, checked, and sent to `structured`.",
            default_factory=dict,
            advanced=True,
        )
        tools: list[dict[str, Any]] = SchemaField(
            description='Functions the model may ask for: {"name", "description", "parameters": JSON schema}. '
            "What it asks for comes out at `tool_calls`.",
            default_factory=list,
            advanced=True,
        )
        tool_choice: str = SchemaField(
            description="auto, required, none, or the name of the one function to call.", default="auto", advanced=True
        )
        web_search: bool = SchemaField(
            description="Lets the model search the web; OpenAI charges for each search.", default=False, advanced=True
        )
        fallback_model: str = fallback_model_field()
        store: bool = SchemaField(
            description="OpenAI keeps the answer for 30 days, so that it can be continued by `previous_response_id`.",
            default=True,
            advanced=True,
        )
        service_tier: ServiceTierChoice = service_tier_field()
        timeout_seconds: float = timeout_seconds_field()
        max_retries: int = max_retries_field()

    class Output(BlockSchemaOutput):
        """The pins on the right. `response` only ever carries a whole answer."""

        response: str = SchemaField(description="The answer, whole.")
        error: str = SchemaField(description="Why there is no whole answer, and what to change.", default="")
        incomplete: str = SchemaField(description="What there is of an answer that was cut; `error` says why.")
        refusal: str = SchemaField(description="The model's words when it declines to answer; `error` follows.")
        code: str = SchemaField(description="The first fenced code block of the answer.")
        code_blocks: list[dict[str, str]] = SchemaField(
            description="All fenced code blocks: language, path (if the fence names one) and text of each."
        )
        structured: Any = SchemaField(description="The parsed JSON answer, when `output_schema` is given.")
        tool_calls: list[dict[str, str]] = SchemaField(
            description="Functions the model wants called: call_id, name and arguments (JSON text) of each."
        )
        reasoning: str = SchemaField(description="The model's summary of its thinking, if it gave one.")
        response_id: str = SchemaField(description="Names the answer, for `previous_response_id` of a later node.")
        model: str = SchemaField(description="The model that answered.")
        finish_reason: str = SchemaField(description="stop, tool_calls, length, content_filter or refusal.")
        usage: dict[str, int] = SchemaField(
            description="Tokens: input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, "
            "total_tokens."
        )
        notices: list[str] = SchemaField(description="What was left out, retried or replaced on the way.")

    def __init__(self) -> None:
        test_meta = openai_provider.get_test_credentials()
        test_credentials = {
            "id": test_meta.id,
            "provider": test_meta.provider,
            "type": test_meta.type,
            "title": test_meta.title,
        }
        super().__init__(
            id="6e9f6636-9b5c-426a-81e8-8c64b48b797d",
            description="Asks ChatGPT a question, or has Codex models write code, through OpenAI's Responses API.",
            categories={BlockCategory.AI, BlockCategory.DEVELOPER_TOOLS},
            input_schema=ChatGPTCodexBlock.Input,
            output_schema=ChatGPTCodexBlock.Output,
            test_input=[
                {"credentials": test_credentials, "user_prompt": "Say hello."},
                {"credentials": test_credentials, "mode": "code", "user_prompt": "Write a program that says hello."},
            ],
            test_output=[
                ("response", "Hello."),
                *_TEST_DETAILS,
                ("response", str),
                ("code", _TEST_CODE),
                ("code_blocks", [{"language": "python", "path": "hello.py", "text": _TEST_CODE}]),
                *_TEST_DETAILS,
            ],
            test_credentials=test_meta,
            test_mock={"ask": lambda question, _: _test_answer(question)},
        )

    async def run(self, input_data: Input, *, credentials: APIKeyCredentials, **_: object) -> BlockOutput:
        """Yields a whole answer on `response`, or what there is of one on `incomplete` or `refusal`, and `error`."""
        try:
            question = _question_of(input_data, os.environ)
            answer = await self.ask(question, credentials)
        except ModelError as error:
            self.merge_stats(stats_of(error.usage, error.calls))
            if error.partial_text:
                yield "incomplete", error.partial_text
            if error.notices:
                yield "notices", list(error.notices)
            yield "error", str(error)
            return
        self.merge_stats(stats_of(answer.result.usage, answer.result.calls, answer.result.cost))
        for pin, value in _outputs_of(answer, question, input_data.mode):
            yield pin, value

    async def ask(self, question: Question, credentials: APIKeyCredentials) -> Answer:
        """Asks the model; a method of its own so that block tests can replace it."""
        return await ask(question, credentials.api_key)


def _question_of(inputs: ChatGPTCodexBlock.Input, environ: Mapping[str, str]) -> Question:
    untouched = inputs.system_prompt == CHAT_PROMPT
    tools = read_tools(inputs.tools)
    searching = (HostedTool({"type": "web_search"}),) if inputs.web_search else ()
    question = question_of(
        inputs,
        prompt=(*read_history(inputs.history), _prompt_of(inputs)),
        instructions=CODE_PROMPT if inputs.mode == "code" and untouched else inputs.system_prompt or None,
        environ=environ,
    )
    request = replace(
        question.request,
        output_format=schema_format(inputs.output_schema) if inputs.output_schema else None,
        tools=(*tools, *searching),
        tool_choice=inputs.tool_choice.strip() or None if tools or searching else None,
        previous_response_id=inputs.previous_response_id.strip() or None,
        store=inputs.store,
    )
    return replace(question, request=request)


def _prompt_of(inputs: ChatGPTCodexBlock.Input) -> InputItem:
    images = read_images(inputs.images)
    if not inputs.user_prompt.strip() and not images:
        raise InvalidRequestError(
            "The user prompt is empty. Write what you ask for into user_prompt, or link a node's output to it."
        )
    return Message("user", (TextPart(inputs.user_prompt), *images) if images else inputs.user_prompt)


def _outputs_of(answer: Answer, question: Question, mode: Mode) -> BlockPins:
    result = answer.result
    whole = result.finish_reason == "stop"
    notices = list(result.notices)
    if whole:
        yield "response", result.text
        blocks = code_blocks_of(result.text)
        yield from _code_of(blocks)
        if mode == "code" and not blocks and not question.request.output_format:
            notices.append("The answer holds no fenced code block, so `code` and `code_blocks` carry nothing.")
        if question.request.output_format is not None:
            yield "structured", answer.value
    elif result.finish_reason == "tool_calls":
        yield "tool_calls", [_call_of(call) for call in result.tool_calls]
        if result.text:
            notices.append(f"Before its tool calls the model wrote: {result.text}")
    elif result.refusal:
        yield "refusal", result.refusal
    elif result.text:
        yield "incomplete", result.text
    if result.reasoning:
        yield "reasoning", result.reasoning
    if result.response_id:
        yield "response_id", result.response_id
    yield "model", result.model
    yield "finish_reason", result.finish_reason
    yield "usage", asdict(result.usage)
    if notices:
        yield "notices", notices
    if problem := problem_of(result, question.request.output_limit):
        yield "error", problem


def _code_of(blocks: tuple[CodeBlock, ...]) -> BlockPins:
    if blocks:
        yield "code", blocks[0].text
        yield "code_blocks", [asdict(block) for block in blocks]


def _call_of(call: ToolCall) -> dict[str, str]:
    return {"call_id": call.call_id, "name": call.name, "arguments": call.raw_arguments}


def _test_answer(question: Question) -> Answer:
    text = f"```python path=hello.py\n{_TEST_CODE}```\n" if question.request.instructions == CODE_PROMPT else "Hello."
    return Answer(result=replace(_TEST_RESULT, text=text))
