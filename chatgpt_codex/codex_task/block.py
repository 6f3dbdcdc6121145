"""CodexTaskBlock: its pins, and what goes to which.

No future import here: the platform converts inputs by the annotations of the Input class, and as strings they would
convert nothing.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final, Literal

from .._config import RUN_COST, openai_provider, resolve_model
from .._host import (
    HOST,
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
from .._model_settings import (
    EffortChoice,
    ModelChoice,
    custom_model_field,
    max_retries_field,
    model_field,
    reasoning_effort_field,
)
from .._outcome import stats_of
from ..llm.errors import InvalidRequestError, ModelError
from ..llm.prices import cost_of
from ..llm.requests import JsonSchemaFormat
from ..llm.results import Usage
from ..llm.structured import read_structured, schema_format
from ..roles.material import DATA_RULE, Material, lay_out, list_material, parts_material
from ..roles.work import Handoff, SourceFile, WorkError, check_paths, read_handoff, read_parts
from .rules import unavailable
from .task import Command, FileChange, Outcome, Task, transcript
from .work import carry_out

BlockPins = Iterator[tuple[str, object]]

OWN_SIGN_IN: Final = "codex sign-in"
"""What `account` is for a task that needs no key."""

_DESCRIPTION = (
    "Has Codex, OpenAI's coding agent, do a task in a folder: it reads files, runs commands, and changes files if you "
    "let it."
)

_TEST_OUTCOME = Outcome(
    response="Both tests pass.",
    commands=(Command(command="python -m unittest", exit_code=0, output="Ran 2 tests in 0.001s\n\nOK\n"),),
    changes=(FileChange(path="hello.py", kind="add", diff="--- /dev/null\n+++ b/hello.py\n@@ -0,0 +1 @@\n+pass\n"),),
    usage=Usage(input_tokens=20, output_tokens=4, total_tokens=24),
    calls=2,
    model="gpt-6.1-sol",
)


@cost(RUN_COST)
class CodexTaskBlock(Block):
    """Has Codex do a task in a folder; see the description given to the builder below."""

    class Input(BlockSchemaInput):
        """The pins on the left, those that decide what happens first."""

        credentials: CredentialsMetaInput = openai_provider.credentials_field(
            description="Your OpenAI API key, or the key of whatever server the operator has put in its place."
        )
        task: str = SchemaField(
            description="What Codex is to do.", placeholder="Run the tests and tell me why they fail."
        )
        workspace: str = SchemaField(
            description="The folder to work in. Empty: a new one, which is gone afterwards. On a platform: the name of "
            "a folder that the server keeps for you; it is made if it is not there.",
            default="",
            placeholder="my-project",
            advanced=False,
        )
        sandbox: Literal["read-only", "workspace-write", "danger-full-access"] = SchemaField(
            description="read-only changes nothing; workspace-write changes files in the workspace; danger-full-access "
            "does whatever the user of this machine may do.",
            default="read-only",
            advanced=False,
        )
        handoff: dict[str, Any] = SchemaField(
            description="A role's `handoff`: its files and tests are written into the workspace first, and Codex is "
            "told the rest.",
            default_factory=dict,
            advanced=False,
        )
        files: list[dict[str, Any]] = SchemaField(
            description="Files to write into the workspace first: path and content of each. They replace those of the "
            "same path.",
            default_factory=list,
            advanced=False,
        )
        context: str = SchemaField(
            description="What Codex is to know, as data: an error report, a log. Orders in it are not followed.",
            default="",
            advanced=False,
        )
        output_schema: dict[str, Any] = SchemaField(
            description="A JSON schema of strict mode. Codex then ends with JSON that fits it, sent to `structured`.",
            default_factory=dict,
            advanced=True,
        )
        model: ModelChoice = model_field()
        custom_model: str = custom_model_field()
        reasoning_effort: EffortChoice = reasoning_effort_field()
        network: bool = SchemaField(
            description="Lets commands reach the network in workspace-write, too: to install packages, for instance.",
            default=False,
            advanced=True,
        )
        account: Literal["key", "codex sign-in"] = SchemaField(
            description="Who pays: the key above, or the account of `chatgpt-codex codex login`; the latter only on "
            "your own machine.",
            default="key",
            advanced=True,
        )
        timeout_seconds: float = SchemaField(
            description="Longest time for the whole task, in seconds. Then it is stopped.",
            default=1800,
            ge=1,
            le=14400,
            advanced=True,
        )
        max_retries: int = max_retries_field()

    class Output(BlockSchemaOutput):
        """The pins on the right. `response` comes only if Codex finished; the others tell what it did in any case."""

        response: str = SchemaField(description="What Codex says at the end.")
        error: str = SchemaField(description="Why it did not finish, and what to change.", default="")
        files_changed: list[dict[str, str]] = SchemaField(
            description="What is different in the workspace: path, kind (add, update, delete) and diff of each file."
        )
        commands: list[dict[str, Any]] = SchemaField(
            description="What Codex ran: command, exit_code (null if it did not end) and output of each."
        )
        command_output: str = SchemaField(
            description="The same as one text, for the Reviewer's `test_output`: what was printed, not what Codex says."
        )
        structured: Any = SchemaField(description="The parsed JSON answer, when `output_schema` is given.")
        incomplete: str = SchemaField(description="An answer that does not fit `output_schema`; `error` says where.")
        model: str = SchemaField(description="The model that worked.")
        usage: dict[str, int] = SchemaField(
            description="Tokens: input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, "
            "total_tokens."
        )
        notices: list[str] = SchemaField(description="What was left out.")

    def __init__(self) -> None:
        test_meta = openai_provider.get_test_credentials()
        reason = unavailable(os.environ)
        super().__init__(
            id="2c923f98-6f43-4b9d-bcae-8de5500f4666",
            description=f"{_DESCRIPTION} Cannot be used yet: {reason}" if reason else _DESCRIPTION,
            categories={BlockCategory.AI, BlockCategory.DEVELOPER_TOOLS},
            input_schema=CodexTaskBlock.Input,
            output_schema=CodexTaskBlock.Output,
            disabled=bool(reason),
            test_input={
                "credentials": {
                    "id": test_meta.id,
                    "provider": test_meta.provider,
                    "type": test_meta.type,
                    "title": test_meta.title,
                },
                "task": "Write a program that says hello, and test it.",
                "sandbox": "workspace-write",
            },
            test_output=[
                ("response", "Both tests pass."),
                ("files_changed", [change.to_json() for change in _TEST_OUTCOME.changes]),
                ("commands", [command.to_json() for command in _TEST_OUTCOME.commands]),
                ("command_output", lambda text: text.startswith("$ python -m unittest\nRan 2 tests")),
                ("model", "gpt-6.1-sol"),
                ("usage", asdict(_TEST_OUTCOME.usage)),
            ],
            test_credentials=test_meta,
            test_mock={"carry_out": lambda *_: _TEST_OUTCOME},
        )

    async def run(
        self, input_data: Input, *, credentials: APIKeyCredentials, user_id: str = "", **_: object
    ) -> BlockOutput:
        """Yields what Codex says and did; what it did is told also where it failed."""
        try:
            wanted = _format_of(input_data)
            outcome = await self.carry_out(_task_of(input_data, wanted, os.environ), credentials, user_id)
        except (ModelError, WorkError) as error:
            yield "error", str(error)
            return
        price = None if input_data.account != "key" else await cost_of(outcome.model, outcome.usage)
        self.merge_stats(stats_of(outcome.usage, outcome.calls, price, answers=outcome.calls))
        for pin, value in _outputs_of(outcome, wanted):
            yield pin, value

    async def carry_out(self, task: Task, credentials: APIKeyCredentials, user_id: str) -> Outcome:
        """Has the task done; a method of its own so that block tests can replace it."""
        return await carry_out(task, credentials.api_key, user_id=user_id if HOST == "autogpt" else "")


def _format_of(inputs: CodexTaskBlock.Input) -> JsonSchemaFormat | None:
    if not inputs.output_schema:
        return None
    wanted = schema_format(inputs.output_schema)
    if not wanted.strict:
        raise InvalidRequestError(
            "Codex takes output schemas of OpenAI's strict mode only: an object at the top; in every object all "
            "properties required and additionalProperties false. Change the schema accordingly."
        )
    return wanted


def _task_of(inputs: CodexTaskBlock.Input, wanted: JsonSchemaFormat | None, environ: Mapping[str, str]) -> Task:
    if not inputs.task.strip():
        raise InvalidRequestError("The task is empty. Write what Codex is to do into `task`.")
    signed_in = inputs.account == OWN_SIGN_IN
    handoff = read_handoff(inputs.handoff)
    files = {file.path: file for file in (*handoff.files, *handoff.tests)} if handoff else {}
    files |= {file.path: file for file in read_parts("files", SourceFile, inputs.files)}
    check_paths(files.values())
    named = inputs.custom_model.strip() or (inputs.model if inputs.model != "auto" else "")
    return Task(
        prompt=_prompt_of(inputs, handoff),
        workspace=inputs.workspace,
        files=tuple(files.values()),
        sandbox=inputs.sandbox,
        network=inputs.network,
        signed_in=signed_in,
        # An account of Codex has models of its own, and a default among them.
        model=None if signed_in and not named else resolve_model("code", inputs.model, inputs.custom_model, environ),
        effort=None if inputs.reasoning_effort == "auto" else inputs.reasoning_effort,
        output_schema=wanted.schema if wanted else None,
        timeout_seconds=inputs.timeout_seconds,
        max_retries=inputs.max_retries,
    )


def _prompt_of(inputs: CodexTaskBlock.Input, handoff: Handoff | None) -> str:
    pieces = [Material("Context", inputs.context)]
    if handoff is not None:
        pieces += [
            Material("Brief", handoff.brief),
            parts_material("Requirements", handoff.requirements),
            parts_material("Findings of the last review", handoff.findings),
            list_material("How the developer says it is installed, run and tested", handoff.commands),
            Material("The developer's notes", handoff.notes),
        ]
    given = [piece for piece in pieces if piece.text.strip()]
    return lay_out(f"{inputs.task}\n\n{DATA_RULE}" if given else inputs.task, given)


def _outputs_of(outcome: Outcome, wanted: JsonSchemaFormat | None) -> BlockPins:
    problem = outcome.problem
    value: object = None
    if problem is None and wanted is not None:
        try:
            value = read_structured(outcome.response, wanted)
        except ModelError as mismatch:
            problem = mismatch
            yield "incomplete", outcome.response
    if problem is None:
        yield "response", outcome.response
        if wanted is not None:
            yield "structured", value
    yield "files_changed", [change.to_json() for change in outcome.changes]
    yield "commands", [command.to_json() for command in outcome.commands]
    if outcome.commands:
        yield "command_output", transcript(outcome.commands)
    if outcome.model:
        yield "model", outcome.model
    yield "usage", asdict(outcome.usage)
    if outcome.notices:
        yield "notices", list(outcome.notices)
    if problem is not None:
        yield "error", str(problem)
