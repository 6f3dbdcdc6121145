"""What the real API refuses in a /v1/responses request that is well-formed: schemas, unanswered calls, model limits."""

from collections.abc import Iterable

from .errors import ApiError
from .json_types import JsonObject
from .model_rules import check_model_rules
from .responses_request import FunctionToolParam, JsonSchemaFormat, ResponsesRequest
from .strict_schema import SchemaPlace, check_strict_schema


def check_rules(request: ResponsesRequest, conversation: Iterable[JsonObject], *, model_rules: bool) -> None:
    """Check what types alone cannot say.

    Args:
        request: The validated body.
        conversation: All input items, those of earlier responses first.
        model_rules: Whether the model's limits count.

    Raises:
        ApiError: 400 about the first rule it breaks.
    """
    _check_schemas(request)
    _check_calls(conversation)
    if request.background and request.store is False:
        raise ApiError("Background mode needs 'store' to be true: its answer is retrieved later.", param="background")
    if request.conversation is not None:
        raise ApiError(
            "The simulator has no conversations; continue a response with 'previous_response_id'.",
            status=404,
            param="conversation",
        )
    if model_rules:
        check_model_rules(
            request.model,
            effort=request.reasoning.effort if request.reasoning else None,
            effort_param="reasoning.effort",
            sampling={"temperature": request.temperature, "top_p": request.top_p},
        )


def _check_schemas(request: ResponsesRequest) -> None:
    text_format = request.text.format if request.text else None
    if isinstance(text_format, JsonSchemaFormat) and text_format.strict:
        place = SchemaPlace(
            subject=f"response_format '{text_format.name}'", param="text.format.schema", code="invalid_json_schema"
        )
        check_strict_schema(text_format.schema_, place)
    for index, tool in enumerate(request.tools or ()):
        if isinstance(tool, FunctionToolParam) and tool.strict:
            param = f"tools[{index}].parameters"
            place = SchemaPlace(subject=f"function '{tool.name}'", param=param, code="invalid_function_parameters")
            check_strict_schema(tool.parameters or {}, place)


def _check_calls(conversation: Iterable[JsonObject]) -> None:
    """Each function call needs its output, and each output its call."""
    items = list(conversation)
    if any(item.get("type") == "item_reference" for item in items):
        return  # The call may be behind the reference, which the simulator does not look up.
    unanswered: dict[str, None] = {}
    for item in items:
        call_id = str(item.get("call_id"))
        if item.get("type") == "function_call":
            unanswered[call_id] = None
        elif item.get("type") == "function_call_output":
            if call_id not in unanswered:
                raise ApiError(f"No tool call found for function call output with call_id {call_id}.", param="input")
            del unanswered[call_id]
    for call_id in unanswered:
        raise ApiError(f"No tool output found for function call {call_id}.", param="input")
