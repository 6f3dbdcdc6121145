"""Says what a run gave: outputs for people, one JSON object for machines, and a summary."""

import json
from typing import TextIO

from ..runner.result import RunResult
from .json_text import json_text
from .terminal_text import without_control


def print_outputs(result: RunResult, stream: TextIO) -> None:
    """Prints the outputs: a single value as it is, several each under its name."""
    values = [(name, value) for name, produced in result.outputs.items() for value in produced]
    single = len(values) == 1
    for number, (name, value) in enumerate(values):
        if not single:
            stream.write(f"{'' if number == 0 else chr(10)}{name}:\n")
        text = _text_of(value)
        # A model's words could hold sequences that a terminal obeys; a file or a pipe gets them unchanged.
        shown = without_control(text) if stream.isatty() else text
        stream.write(shown if shown.endswith("\n") else f"{shown}\n")
    stream.flush()


def _text_of(value: object) -> str:
    """Text as it is, files as files, anything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(_is_file(entry) for entry in value):
        return "\n".join(f"--- {entry['path']}\n{entry['content']}" for entry in value)
    return json.dumps(value, ensure_ascii=False, indent=2)


def _is_file(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("path"), str) and isinstance(value.get("content"), str)


def result_json(result: RunResult, problem: str | None) -> str:
    """The run as one JSON object; its status is `completed` only if every node succeeded.

    Args:
        result: The run.
        problem: What went wrong after its end, if something did.
    """
    errors: list[dict[str, str | None]] = [
        {"node": error.node_name, "pin": error.pin, "message": error.message} for error in result.errors
    ]
    if result.status in ("cancelled", "timed_out"):
        errors.append(_without_node(f"The run was {result.status.replace('_', ' ')} before its end."))
    if problem is not None:
        errors.append(_without_node(problem))
    usage = result.usage
    return json_text(
        {
            "status": "completed" if result.status == "completed" and problem is None else "failed",
            "outputs": {name: list(values) for name, values in result.outputs.items()},
            "errors": errors,
            "usage": {
                "llm_call_count": usage.llm_call_count,
                "llm_retry_count": usage.llm_retry_count,
                "input_token_count": usage.input_token_count,
                "output_token_count": usage.output_token_count,
            },
        }
    )


def refusal_json(message: str) -> str:
    """The JSON object for what was refused: a run that did not start, or one that cannot be shown."""
    return json_text({"status": "failed", "outputs": {}, "errors": [_without_node(message)], "usage": {}})


def _without_node(message: str) -> dict[str, str | None]:
    return {"node": None, "pin": None, "message": message}


def print_summary(result: RunResult, stream: TextIO) -> None:
    """Prints how the run ended, what failed, what never ran, and what was used."""
    stream.writelines(f"Failed: {error.node_name}: {error.message}\n" for error in result.errors)
    stream.writelines(f"Never ran: {unused}\n" for unused in result.never_ran if unused.received or unused.reason)
    # A node that nothing reached is most often a branch not taken, such as one that waits for an error.
    idle = [unused.node_name for unused in result.never_ran if not (unused.received or unused.reason)]
    if idle:
        stream.write(f"Not reached: {', '.join(idle)}\n")
    usage = result.usage
    calls = "1 model call" if usage.llm_call_count == 1 else f"{usage.llm_call_count:,} model calls"
    stream.write(
        f"{result.status.replace('_', ' ').capitalize()} in {result.seconds:.1f} s: {calls}, "
        f"{usage.input_token_count:,} tokens in, {usage.output_token_count:,} out.\n"
    )
    stream.flush()
