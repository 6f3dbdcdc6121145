"""The endpoint /v1/chat/completions."""

from aiohttp import web

from .answers import build_reply
from .chat_prompt import chat_functions, prompt_from_chat
from .chat_request import AssistantMessage, ChatRequest, SchemaFormat, ToolMessage
from .chat_wire import chat_completion, chunk_events
from .errors import ApiError
from .events import Event, with_fault
from .exchange import Exchange
from .model_rules import check_model_rules
from .script import ScriptedAnswer
from .simulation import Simulation
from .strict_schema import SchemaPlace, check_strict_schema
from .validation import check_body


async def create(simulation: Simulation, exchange: Exchange) -> web.StreamResponse:
    """POST /v1/chat/completions."""
    request = check_body(ChatRequest, await exchange.read_body())
    _check(simulation, request)
    prompt = prompt_from_chat(request)
    scripted = simulation.choose_answer(prompt)
    if (refused := await exchange.refuse(scripted)) is not None:
        return refused

    reply = build_reply(scripted, prompt)
    suffix = simulation.next_suffix()
    choices = request.n or 1
    tier = request.service_tier
    completion = chat_completion(
        reply,
        completion_id=f"chatcmpl-{suffix}",
        suffix=suffix,
        model=request.model,
        created=simulation.now(),
        service_tier="default" if tier in (None, "auto") else tier,
        choices=choices,
    )
    options = request.stream_options
    chunks = chunk_events(
        completion,
        reply,
        choices=choices,
        delta_characters=scripted.delta_characters,
        includes_usage=bool(options and options.include_usage),
    )
    events = with_fault(chunks, scripted, lambda: _error_chunk(scripted))
    if request.stream:
        # A stream that ends early has no [DONE], and neither has one that ends with an error.
        is_whole = scripted.end_early is None and scripted.failed is None and scripted.error_event is None
        epilogue = b"data: [DONE]\n\n" if is_whole else b""
        return await exchange.stream(events, named=False, scripted=scripted, epilogue=epilogue)
    await exchange.take_time(events, scripted)
    if scripted.drop is not None:
        return await exchange.json_cut_in_half(completion)
    if scripted.failed is not None or scripted.error_event is not None:
        raise _server_error(scripted)
    return exchange.json(completion, headers=scripted.headers)


def _error_chunk(scripted: ScriptedAnswer) -> Event:
    return Event(_server_error(scripted).body())


def _server_error(scripted: ScriptedAnswer) -> ApiError:
    """`failed` and `error_event` in the only form this endpoint has for them: an error."""
    fault = scripted.failed or scripted.error_event
    if fault is None:
        raise ValueError("the answer has neither failed nor error_event")
    return ApiError(fault.message, status=500, type="server_error", code=fault.code)


def _check(simulation: Simulation, request: ChatRequest) -> None:
    answer_format = request.response_format
    if isinstance(answer_format, SchemaFormat) and answer_format.json_schema.strict:
        schema = answer_format.json_schema
        place = SchemaPlace(
            subject=f"response_format '{schema.name}'", param="response_format", code="invalid_json_schema"
        )
        check_strict_schema(schema.schema_ or {}, place)
    for index, function in enumerate(chat_functions(request)):
        if function.strict:
            param = f"tools[{index}].function.parameters"
            place = SchemaPlace(subject=f"function '{function.name}'", param=param, code="invalid_function_parameters")
            check_strict_schema(function.parameters or {}, place)
    _check_tool_results(request)
    if simulation.script.model_rules:
        sampling = {"temperature": request.temperature, "top_p": request.top_p}
        check_model_rules(
            request.model, effort=request.reasoning_effort, effort_param="reasoning_effort", sampling=sampling
        )


def _check_tool_results(request: ChatRequest) -> None:
    """Each call needs its result right after it, and each result its call."""
    waiting: set[str] = set()
    for index, message in enumerate(request.messages):
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in waiting:
                raise ApiError(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
                    "'tool_calls'.",
                    param=f"messages.[{index}].role",
                )
            waiting.discard(message.tool_call_id)
            continue
        if waiting:
            break
        if isinstance(message, AssistantMessage):
            waiting = {call.id for call in message.tool_calls or ()}
    if waiting:
        raise ApiError(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            "'tool_call_id'. The following tool_call_ids did not have response messages: "
            f"{', '.join(sorted(waiting))}",
            param="messages",
        )
