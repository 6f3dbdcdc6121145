"""Scripts: what the simulator answers, written as YAML a person likes to read.

A script is a list of rules. The first rule whose `when` fits a request answers it; a request no rule fits gets the
default answer (or an error, see `on_unmatched`). Every field is optional, so a rule without `when` fits everything::

    on_unmatched: default        # or: error, which answers 500 and says that no rule fits
    keys: [sk-test]              # any other key gets 401; without this line no key is needed
    apis: [responses, chat]      # [chat] is a server that has Chat Completions only, as Ollama
    model_rules: false           # true: refuse temperature and effort as the real models do
    chatgpt: {plan: plus}        # the door of ChatGPT plans, /backend-api/codex: see `chatgpt_script`

    rules:
      - name: the plan           # shown in error messages and the live log
        when:
          model: gpt-6-luna                    # or a list of names
          instructions: {contains: planner}    # system and developer messages included
          input: {matches: "(?i)todo list"}    # all text of the input; `contains`, `matches` (regex) or a plain string
          schema: plan                         # the name of the json_schema asked for
          tools: [get_weather]                 # function tools the request must offer
          call: 1                              # only the first request that fits the lines above
        times: 1                 # how often this rule may answer
        answer:
          json: {title: Buy milk, done: false}

An answer is content, a fault, or both. Content left out is filled with the default answer:

| field | the request gets |
|---|---|
| text, json | that text; a value as its JSON text |
| tool_calls | `[{name: get_weather, arguments: {city: Rome}}]`; several are parallel calls |
| reasoning | a reasoning summary (seen by the client only if it asked for one) |
| commentary | a message of phase commentary before the answer proper, whose phase is then final_answer |
| refusal | a refusal instead of text |
| empty | true: no output at all |
| incomplete | `max_output_tokens` or `content_filter`: the text is all there is of a cut answer |
| failed | `{code: server_error, message: ...}`: status failed |
| error | HTTP error: `{status: 429, code: ..., type: ..., message: ..., retry_after: 2}`, or `html: ...` for a body |
| usage_limit | `{resets_in: 3600}`: 429 as from a ChatGPT plan that is used up for so many seconds |
| error_event | `{code: ..., message: ...}`: an error event in the stream (HTTP 500 where nothing streams) |
| drop | `before_headers`, or `{after_deltas: 3}`: the connection is closed |
| end_early | true or `{after_deltas: 3}`: the stream ends in good order, but without its terminal event |
| delay_ms | 20, or `{first: 500, each: 20}`: milliseconds before the first byte of content and before each delta |
| delta_characters | how many characters a delta carries |
| usage | `{input_tokens: 7, cached_tokens: 3, output_tokens: 9, reasoning_tokens: 4}`, any of them |
| headers | extra response headers |

`failed` and `error_event` take `after_deltas`, too; without it a fault comes after all deltas.
"""

import re
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    model_validator,
)

from .chatgpt_script import ChatGPTDoor, UsageLimit
from .script_part import ScriptPart

IncompleteReason: TypeAlias = Literal["max_output_tokens", "content_filter"]


class ScriptError(Exception):
    """A script that cannot be used. The message names the file, the rule and the field."""


def _as_contains(value: object) -> object:
    return {"contains": value} if isinstance(value, str) else value


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _check_pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return value


class TextMatch(ScriptPart):
    """A condition on a text."""

    contains: str | None = None
    matches: Annotated[str, AfterValidator(_check_pattern)] | None = None

    def fits(self, text: str) -> bool:
        if self.contains is not None and self.contains not in text:
            return False
        return self.matches is None or re.search(self.matches, text) is not None


class When(ScriptPart):
    """Which requests a rule answers: all conditions given must hold."""

    model: Annotated[list[str], BeforeValidator(_as_list)] | None = None
    instructions: Annotated[TextMatch, BeforeValidator(_as_contains)] | None = None
    input: Annotated[TextMatch, BeforeValidator(_as_contains)] | None = None
    schema_name: str | None = Field(default=None, alias="schema")
    tools: Annotated[list[str], BeforeValidator(_as_list)] | None = None
    call: PositiveInt | None = None


class ScriptedToolCall(ScriptPart):
    """One function call of an answer. Arguments are a mapping, or a string sent as it is (even if it is not JSON)."""

    name: str
    arguments: str | dict[str, JsonValue] = Field(default_factory=dict)


class Failure(ScriptPart):
    """The response ends with status failed."""

    code: str = "server_error"
    message: str = "The server had an error while processing your request. Sorry about that!"
    after_deltas: NonNegativeInt | None = None


class ErrorEvent(ScriptPart):
    """An `error` event takes the place of the rest of the stream."""

    code: str | None = "server_error"
    message: str = "The server had an error while processing your request. Sorry about that!"
    param: str | None = None
    after_deltas: NonNegativeInt | None = None


class HttpError(ScriptPart):
    """The request is answered by an HTTP error."""

    status: Annotated[int, Field(ge=400, le=599)]
    message: str = "The simulator's script asks for this error."
    type: str | None = None
    code: str | None = None
    param: str | None = None
    retry_after: float | None = Field(default=None, ge=0)
    html: str | None = None


class CutPoint(ScriptPart):
    """Where a stream is cut: after so many deltas, or (None) after all of them."""

    after_deltas: NonNegativeInt | None = None


class Delay(ScriptPart):
    """Milliseconds to wait."""

    first: NonNegativeInt = 0
    each: NonNegativeInt = 0


class ScriptedUsage(ScriptPart):
    """Counts that replace the counted ones."""

    input_tokens: NonNegativeInt | None = None
    cached_tokens: NonNegativeInt | None = None
    output_tokens: NonNegativeInt | None = None
    reasoning_tokens: NonNegativeInt | None = None


def _as_cut_point(value: object) -> object:
    return {} if value is True else value


def _as_delay(value: object) -> object:
    return {"first": value, "each": value} if isinstance(value, int) and not isinstance(value, bool) else value


class ScriptedAnswer(ScriptPart):
    """What a rule answers; the module's docstring has the table."""

    text: str | None = None
    json_value: JsonValue = Field(default=None, alias="json")
    tool_calls: list[ScriptedToolCall] = Field(default_factory=list)
    reasoning: str | None = None
    commentary: str | None = None
    refusal: str | None = None
    empty: bool = False
    incomplete: IncompleteReason | None = None
    failed: Failure | None = None
    error: HttpError | None = None
    usage_limit: UsageLimit | None = None
    error_event: ErrorEvent | None = None
    drop: Literal["before_headers"] | CutPoint | None = None
    end_early: Annotated[CutPoint, BeforeValidator(_as_cut_point)] | None = None
    delay_ms: Annotated[Delay, BeforeValidator(_as_delay)] = Delay()
    delta_characters: PositiveInt = 16
    usage: ScriptedUsage = ScriptedUsage()
    headers: dict[str, str] = Field(default_factory=dict)

    @property
    def has_json(self) -> bool:
        """Whether `json` was given: null is a value, too."""
        return "json_value" in self.model_fields_set

    @model_validator(mode="after")
    def _check_combination(self) -> Self:
        contents = [
            name
            for name, given in (
                ("text", self.text is not None),
                ("json", self.has_json),
                ("refusal", self.refusal is not None),
                ("empty", self.empty),
            )
            if given
        ]
        if len(contents) > 1:
            raise ValueError(f"{' and '.join(contents)} exclude each other: give one of them")
        faults = [
            name
            for name in ("incomplete", "failed", "error", "usage_limit", "error_event", "drop", "end_early")
            if getattr(self, name)
        ]
        if len(faults) > 1:
            raise ValueError(f"{' and '.join(faults)} exclude each other: give one of them")
        if (self.error is not None or self.usage_limit is not None) and (contents or self.tool_calls or self.reasoning):
            raise ValueError("an HTTP error has no content: leave text, json, tool_calls, reasoning and refusal out")
        return self


class Rule(ScriptPart):
    """One rule: when it applies, how often, and its answer."""

    name: str | None = None
    when: When = When()
    times: PositiveInt | None = None
    answer: ScriptedAnswer = ScriptedAnswer()


class Script(ScriptPart):
    """A whole script. `Script()` is the empty one: every request gets the default answer."""

    on_unmatched: Literal["default", "error"] = "default"
    keys: list[str] | None = None
    apis: list[Literal["responses", "chat"]] = Field(default=["responses", "chat"], min_length=1)
    model_rules: bool = False
    chatgpt: ChatGPTDoor = ChatGPTDoor()
    rules: list[Rule] = Field(default_factory=list)


def parse_script(data: object, *, source: str = "script") -> Script:
    """Turn parsed YAML (or a literal in a test) into a Script.

    Args:
        data: A mapping as described in this module's docstring; None is the empty script.
        source: How messages call the script, usually its path.

    Raises:
        ScriptError: Something does not fit; each line of the message names a rule and a field.
    """
    try:
        return Script.model_validate({} if data is None else data)
    except ValidationError as error:
        lines = [f"{source}: {_place(problem['loc'])}{problem['msg']}" for problem in error.errors()]
        raise ScriptError("\n".join(dict.fromkeys(lines))) from None


def load_script(path: str | Path) -> Script:
    """Read a script file.

    Raises:
        ScriptError: The file cannot be read, is no YAML, or does not fit.
    """
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ScriptError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScriptError(f"{path}: not a YAML file: {error}") from None
    return parse_script(data, source=str(path))


_UNION_MEMBERS = {"CutPoint", "str", "literal['before_headers']", "dict[str,JsonValue]"}
"""Pydantic puts the tried member of a union into the location; it means nothing to the author of a script."""


def _place(location: tuple[int | str, ...]) -> str:
    rule = ""
    parts = list(location)
    if len(parts) > 1 and parts[0] == "rules" and isinstance(parts[1], int):
        rule = f"rule {parts[1] + 1}: "
        parts = parts[2:]
    field = ""
    for part in parts:
        if isinstance(part, int):
            field += f"[{part}]"
        elif part not in _UNION_MEMBERS and not part.startswith("dict["):
            field += f".{part}" if field else part
    return f"{rule}{field}: " if field else rule
