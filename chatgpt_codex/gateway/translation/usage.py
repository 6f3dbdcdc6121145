"""Token counts, in the words of either API."""

from ...llm.payload import JsonObject, count_at, object_at


def chat_usage(usage: JsonObject) -> dict[str, object]:
    """The `usage` of a Response as Chat Completions has it."""
    given = object_at(usage, "input_tokens_details")
    made = object_at(usage, "output_tokens_details")
    prompt, completion = count_at(usage, "input_tokens"), count_at(usage, "output_tokens")
    prompt_details: dict[str, object] = {"cached_tokens": count_at(given, "cached_tokens"), "audio_tokens": 0}
    if "cache_write_tokens" in given:
        prompt_details["cache_write_tokens"] = count_at(given, "cache_write_tokens")
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": count_at(usage, "total_tokens") or prompt + completion,
        "prompt_tokens_details": prompt_details,
        "completion_tokens_details": {
            "reasoning_tokens": count_at(made, "reasoning_tokens"),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def response_usage(usage: JsonObject) -> dict[str, object]:
    """The `usage` of a chat completion as the Responses API has it."""
    given = object_at(usage, "prompt_tokens_details")
    made = object_at(usage, "completion_tokens_details")
    prompt, completion = count_at(usage, "prompt_tokens"), count_at(usage, "completion_tokens")
    return {
        "input_tokens": prompt,
        "input_tokens_details": {
            # DeepSeek counts them outside of the details.
            "cached_tokens": count_at(given, "cached_tokens") or count_at(usage, "prompt_cache_hit_tokens"),
            "cache_write_tokens": count_at(given, "cache_write_tokens"),
        },
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": count_at(made, "reasoning_tokens")},
        "total_tokens": count_at(usage, "total_tokens") or prompt + completion,
    }
