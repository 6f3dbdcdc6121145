"""What the four roles share: one question with a typed answer, and the outputs that come of it.

No future import in this folder's block modules: the platform converts inputs by the annotations of the Input class,
and as strings they would convert nothing.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from .._config import Mode, openai_provider
from .._host import (
    APIKeyCredentials,
    Block,
    BlockCategory,
    BlockOutput,
    BlockSchemaInput,
    BlockSchemaOutput,
    SchemaField,
)
from .._model_settings import ModelSettings, question_of
from .._outcome import problem_of, stats_of
from ..llm.asking import Answer, Question, ask
from ..llm.errors import ModelError
from ..llm.messages import Message
from ..llm.results import Result, Usage
from .answer_schema import answer_format
from .material import DATA_RULE, Material, lay_out
from .work import Handoff, WorkError, WorkPart, describe_faults

AnswerT = TypeVar("AnswerT", bound=WorkPart)

Pin = tuple[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a role makes of the model's answer."""

    response: str
    """Markdown for people, written by us from the typed parts."""
    pins: tuple[Pin, ...]
    """The typed parts, as JSON."""
    handoff: Handoff
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment(Generic[AnswerT]):
    """What a role is to do in one execution."""

    instructions: str
    task: str
    """One sentence; the material follows it."""
    material: tuple[Material, ...]
    answer_name: str
    """What simulation scripts and the server call the answer's schema."""
    answer_type: type[AnswerT]
    deliver: Callable[[AnswerT], Delivery]
    """Makes outputs of the answer. Raises WorkError if the answer breaks a rule that no schema can say."""
    notices: tuple[str, ...] = ()

    def question(self, settings: ModelSettings, environ: Mapping[str, str]) -> Question:
        """The question to ask.

        Raises:
            WorkError: there is too much material for one call.
        """
        question = question_of(
            settings,
            prompt=(Message("user", lay_out(self.task, self.material)),),
            instructions=f"{self.instructions}\n\n{DATA_RULE}",
            environ=environ,
        )
        wanted = answer_format(self.answer_name, self.answer_type)
        # Nothing continues a role's answer by its id, so it need not be kept.
        return replace(question, request=replace(question.request, output_format=wanted, store=False))

    def delivery(self, value: object) -> Delivery:
        """What comes of an answer that fits the schema.

        Raises:
            WorkError: the answer breaks a rule that no schema can say.
        """
        try:
            return self.deliver(self.answer_type.model_validate(value))
        except ValidationError as error:
            raise WorkError(
                f"The model's answer breaks a rule that the schema cannot say, {describe_faults(error)}. Run the node "
                "again, or choose a stronger model."
            ) from None


class RoleOutput(BlockSchemaOutput):
    """The pins that every role has."""

    response: str = SchemaField(description="The whole work as Markdown, for people.")
    error: str = SchemaField(description="Why there is no whole work, and what to change.", default="")
    handoff: dict[str, Any] = SchemaField(description="All that the next role needs: link it to its `handoff`.")
    incomplete: str = SchemaField(
        description="What there is of an answer that was cut, or that cannot be used; `error` says why."
    )
    refusal: str = SchemaField(description="The model's words when it declines to answer; `error` follows.")
    model: str = SchemaField(description="The model that answered.")
    usage: dict[str, int] = SchemaField(
        description="Tokens: input_tokens, cached_tokens, output_tokens, reasoning_tokens, total_tokens."
    )
    notices: list[str] = SchemaField(
        description="What leads nowhere in the ids and paths, and what was left out, retried or replaced on the way."
    )


class RoleBase(Block):
    """A block that plays a role: the leaves say which, what goes in, and what comes out.

    Args:
        id: The block's constant uuid4 text.
        description: One sentence for the block menu.
        input_schema: The leaf's Input.
        output_schema: The leaf's Output.
        test_inputs: One set of inputs for each mode, without credentials.
        test_outputs: What they lead to, without `model` and `usage`, which are the same for all.
        test_answer: The model's answer in the block test, by mode.
    """

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the platform's name
        description: str,
        input_schema: type[BlockSchemaInput],
        output_schema: type[RoleOutput],
        test_inputs: Mapping[Mode, Mapping[str, object]],
        test_outputs: Mapping[Mode, tuple[Pin, ...]],
        test_answer: Callable[[str], WorkPart],
    ) -> None:
        meta = openai_provider.get_test_credentials()
        credentials = {"id": meta.id, "provider": meta.provider, "type": meta.type, "title": meta.title}
        super().__init__(
            id=id,
            description=description,
            categories={BlockCategory.AI, BlockCategory.DEVELOPER_TOOLS},
            input_schema=input_schema,
            output_schema=output_schema,
            test_input=[{"credentials": credentials, "mode": mode, **given} for mode, given in test_inputs.items()],
            test_output=[
                pin
                for mode in test_inputs
                for pin in (*test_outputs[mode], ("model", _TEST_RESULT.model), ("usage", asdict(_TEST_RESULT.usage)))
            ],
            test_credentials=meta,
            test_mock={"ask": lambda question, _: _answer_of(test_answer(question.request.instructions or ""))},
        )

    async def work(
        self, settings: ModelSettings, credentials: APIKeyCredentials, assign: Callable[[], Assignment[AnswerT]]
    ) -> BlockOutput:
        """Does what `assign` says: yields the whole work, or what there is of it, and `error`."""
        try:
            assignment = assign()
            question = assignment.question(settings, os.environ)
        except WorkError as error:
            yield "error", str(error)
            return
        try:
            answer = await self.ask(question, credentials)
        except ModelError as error:
            self.merge_stats(stats_of(error.usage, error.calls))
            if error.partial_text:
                yield "incomplete", error.partial_text
            if notices := [*assignment.notices, *error.notices]:
                yield "notices", notices
            yield "error", str(error)
            return
        self.merge_stats(stats_of(answer.result.usage, answer.result.calls, answer.result.cost))
        for pin, value in _outputs_of(answer, assignment, settings.output_limit):
            yield pin, value

    async def ask(self, question: Question, credentials: APIKeyCredentials) -> Answer:
        """Asks the model; a method of its own so that block tests can replace it."""
        return await ask(question, credentials.api_key)


def _outputs_of(answer: Answer, assignment: Assignment[AnswerT], output_limit: int | None) -> Iterator[Pin]:
    result = answer.result
    notices = [*assignment.notices, *result.notices]
    problem = problem_of(result, output_limit)
    if problem is None:
        try:
            delivery = assignment.delivery(answer.value)
        except WorkError as error:
            problem = str(error)
            yield "incomplete", result.text
        else:
            notices.extend(delivery.notices)
            yield "response", delivery.response
            yield from delivery.pins
            yield "handoff", delivery.handoff.to_json()
    elif result.refusal:
        yield "refusal", result.refusal
    elif result.text:
        yield "incomplete", result.text
    yield "model", result.model
    yield "usage", asdict(result.usage)
    if notices:
        yield "notices", list(dict.fromkeys(notices))
    if problem:
        yield "error", problem


_TEST_RESULT = Result(
    text="{}",
    finish_reason="stop",
    model="gpt-6-luna",
    usage=Usage(input_tokens=200, output_tokens=80, total_tokens=280),
)


def _answer_of(work: WorkPart) -> Answer:
    return Answer(result=replace(_TEST_RESULT, text=work.model_dump_json()), value=work.to_json())
