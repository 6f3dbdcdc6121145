"""What the basic blocks do, one line a case."""

import math
from typing import Any

import pytest

from chatgpt_codex.block_sdk import BlockError
from chatgpt_codex.runner.basic_blocks import BASIC_BLOCKS

BLOCKS = {block.name.removesuffix("Block"): factory for factory in BASIC_BLOCKS for block in (factory(),)}


async def outputs_of(block: str, /, **inputs: object) -> list[tuple[str, Any]]:
    return [output async for output in BLOCKS[block]().execute(inputs)]


@pytest.mark.parametrize(
    ("block", "inputs", "outputs"),
    [
        ("AgentInput", {"name": "n", "value": 0}, [("result", 0)]),
        ("AgentInput", {"name": "n"}, []),
        ("AgentShortTextInput", {"name": "n", "value": "a"}, [("result", "a")]),
        ("AgentNumberInput", {"name": "n", "value": 3}, [("result", 3)]),
        ("AgentToggleInput", {"name": "n"}, [("result", False)]),
        ("AgentDropdownInput", {"name": "n", "value": "b", "placeholder_values": ["a", "b"]}, [("result", "b")]),
        ("AgentTableInput", {"name": "n", "value": [{"a": 1}]}, [("result", [{"a": 1}])]),
        ("AgentFileInput", {"name": "n", "value": "/a.txt"}, [("result", "/a.txt")]),
        ("AgentFileInput", {"name": "n", "value": "data:,x", "base_64": True}, [("result", "data:,x")]),
        ("AgentFileInput", {"name": "n"}, []),
        ("AgentOutput", {"name": "n", "value": 1}, [("output", 1), ("name", "n")]),
        ("AgentOutput", {"name": "n", "value": "<", "format": "{{ n }}!"}, [("output", "<!")]),
        ("AgentOutput", {"name": "n", "value": "<", "format": "{{ n }}!", "escape_html": True}, [("output", "&lt;!")]),
        ("StoreValue", {"input": "go"}, [("output", "go")]),
        ("StoreValue", {"input": "go", "data": "kept"}, [("output", "kept")]),
        ("PrintToConsole", {"text": [1]}, [("output", [1]), ("status", "printed")]),
        ("Note", {"text": "n"}, [("output", "n")]),
        ("UniversalTypeConverter", {"value": 5, "type": "string"}, [("value", "5")]),
        ("UniversalTypeConverter", {"value": "5", "type": "number"}, [("value", 5.0)]),
        ("UniversalTypeConverter", {"value": "TRUE", "type": "boolean"}, [("value", True)]),
        ("UniversalTypeConverter", {"value": "[1]", "type": "list"}, [("value", [1])]),
        ("UniversalTypeConverter", {"value": ["a"], "type": "dictionary"}, [("value", {0: "a"})]),
        (
            "Condition",
            {"value1": "7", "operator": ">", "value2": 5, "yes_value": "big"},
            [("result", True), ("yes_output", "big")],
        ),
        ("Condition", {"value1": 1, "operator": ">", "value2": 5}, [("result", False), ("no_output", 5)]),
        ("Condition", {"value1": " a ", "operator": "==", "value2": "a"}, [("result", True), ("yes_output", "a")]),
        ("Condition", {"value1": "a", "operator": "!=", "value2": 1}, [("result", True), ("yes_output", "a")]),
        ("IfInputMatches", {"input": 1, "value": 1}, [("result", True), ("yes_output", 1)]),
        ("IfInputMatches", {"input": 1, "value": 2, "no_value": "x"}, [("result", False), ("no_output", "x")]),
        ("Calculator", {"operation": "Power", "a": 2, "b": 3}, [("result", 8.0)]),
        ("Calculator", {"operation": "Divide", "a": 7, "b": 2, "round_result": True}, [("result", 4)]),
        ("Calculator", {"operation": "Divide", "a": 1, "b": 0}, [("result", math.inf)]),
        ("Calculator", {"operation": "Subtract", "a": 1, "b": 2}, [("result", -1.0)]),
        (
            "StepThroughItems",
            {"items": ["a"], "items_object": {"k": "v"}, "items_str": '["z"]'},
            [("item", "a"), ("key", 0), ("item", "v"), ("key", "k"), ("item", "z"), ("key", 0)],
        ),
        ("StepThroughItems", {}, []),
        ("FillTextTemplate", {"values": {"n": "<A>"}, "format": "Hi {{ n }}{{ absent }}"}, [("output", "Hi <A>")]),
        (
            "FillTextTemplate",
            {"values": {"n": "<A>"}, "format": "Hi {{ n }}", "escape_html": True},
            [("output", "Hi &lt;A&gt;")],
        ),
        (
            "FillTextTemplate",
            {"values": {"l": [1, 2]}, "format": "{% for x in l %}{{ x }};{% endfor %}"},
            [("output", "1;2;")],
        ),
        ("CombineTexts", {"input": ["a", "b"], "delimiter": "-"}, [("output", "a-b")]),
        ("TextSplit", {"text": "a , b", "delimiter": ","}, [("texts", ["a", "b"])]),
        ("TextSplit", {"text": "a , b", "delimiter": ",", "strip": False}, [("texts", ["a ", " b"])]),
        ("TextSplit", {"text": "", "delimiter": ","}, [("texts", [])]),
        ("TextReplace", {"text": "aba", "old": "a", "new": "c"}, [("output", "cbc")]),
        ("MatchTextPattern", {"text": "ABC", "match": "ab", "data": "X", "case_sensitive": False}, [("positive", "X")]),
        ("MatchTextPattern", {"text": {"a": 1}, "match": '"a": 2', "data": "X"}, [("negative", "X")]),
        ("MatchTextPattern", {"text": "a\nb", "match": "a.b", "data": "X", "dot_all": False}, [("negative", "X")]),
        (
            "ExtractTextInformation",
            {"text": "Hi Ann, Hi Bob", "pattern": r"Hi (\w+)", "group": 1, "find_all": True},
            [("positive", "Ann"), ("positive", "Bob"), ("matched_results", ["Ann", "Bob"]), ("matched_count", 2)],
        ),
        (
            "ExtractTextInformation",
            {"text": "Hi Ann", "pattern": r"Hi (\w+)", "group": 2},
            [("negative", "Hi Ann"), ("matched_results", []), ("matched_count", 0)],
        ),
        (
            "ExtractTextInformation",
            {"text": "abc", "pattern": "["},
            [("negative", "abc"), ("matched_results", []), ("matched_count", 0)],
        ),
        (
            "ExtractTextInformation",
            {"text": "b", "pattern": "(a)?b", "group": 1},
            [("positive", ""), ("matched_results", [""]), ("matched_count", 1)],
        ),
        ("CreateDictionary", {"values": {"a": 1}}, [("dictionary", {"a": 1})]),
        (
            "AddToDictionary",
            {"dictionary": {"z": 0}, "key": "k", "value": 1, "entries": {"e": 2}},
            [("updated_dictionary", {"z": 0, "k": 1, "e": 2})],
        ),
        ("AddToDictionary", {"key": "k"}, [("updated_dictionary", {})]),
        ("FindInDictionary", {"input": {"a": 1}, "key": "a"}, [("output", 1)]),
        ("FindInDictionary", {"input": '{"a": 1}', "key": "b"}, [("missing", '{"a": 1}')]),
        ("FindInDictionary", {"input": [5, 6], "key": 1}, [("output", 6)]),
        ("FindInDictionary", {"input": [5, 6], "key": 2}, [("missing", [5, 6])]),
        ("FindInDictionary", {"input": [{"a": 1}, {"b": 2}, {"a": 3}], "key": "a"}, [("output", [1, 3])]),
        (
            "RemoveFromDictionary",
            {"dictionary": {"a": 1, "b": 2}, "key": "a", "return_value": True},
            [("updated_dictionary", {"b": 2}), ("removed_value", 1)],
        ),
        (
            "ReplaceDictionaryValue",
            {"dictionary": {"a": 1}, "key": "a", "value": 2},
            [("updated_dictionary", {"a": 2}), ("old_value", 1)],
        ),
        ("DictionaryIsEmpty", {"dictionary": {}}, [("is_empty", True)]),
        ("CreateList", {"values": [1, "a"]}, [("list", [1, "a"])]),
        ("CreateList", {"values": []}, [("list", [])]),
        ("CreateList", {"values": [1, 2, 3], "max_size": 2}, [("list", [1, 2]), ("list", [3])]),
        (
            "CreateList",
            {"values": ["x" * 8, "y" * 8, "z" * 99], "max_tokens": 4},
            [("list", ["x" * 8, "y" * 8]), ("list", ["z" * 99])],
        ),
        (
            "AddToList",
            {"list": ["a", "b"], "entry": "e", "entries": ["f"], "position": 1},
            [("updated_list", ["a", "f", "e", "b"])],
        ),
        ("AddToList", {"entry": 0}, [("updated_list", [0])]),
        ("FindInList", {"list": [1, 2], "value": 2}, [("index", 1), ("found", True)]),
        ("FindInList", {"list": [1, 2], "value": 3}, [("found", False), ("not_found_value", 3)]),
        ("GetListItem", {"list": [1, 2], "index": -1}, [("item", 2)]),
        (
            "RemoveFromList",
            {"list": [1, 2, 3], "index": 1, "return_item": True},
            [("updated_list", [1, 3]), ("removed_item", 2)],
        ),
        ("RemoveFromList", {"list": ["a", "b", "a"], "value": "a"}, [("updated_list", ["b", "a"])]),
        ("ListIsEmpty", {"list": [1]}, [("is_empty", False)]),
        ("ConcatenateLists", {"lists": [[1], [2, 3]]}, [("concatenated_list", [1, 2, 3])]),
        ("ReverseListOrder", {"input_list": [1, 2]}, [("reversed_list", [2, 1])]),
    ],
)  # fmt: skip
async def test_gives(block: str, inputs: dict[str, object], outputs: list[tuple[str, object]]) -> None:
    assert await outputs_of(block, **inputs) == outputs


@pytest.mark.parametrize(("a", "b"), [(-8, 0.5), (1e300, 2)])
async def test_what_has_no_real_result_is_not_a_number(a: float, b: float) -> None:
    ((pin, value),) = await outputs_of("Calculator", operation="Power", a=a, b=b)
    assert (pin, math.isnan(value)) == ("result", True)


@pytest.mark.parametrize(
    ("block", "inputs", "message"),
    [
        ("AgentFileInput", {"name": "n", "value": "/a", "base_64": True}, "The file's content was asked for, but only"),
        ("Condition", {"value1": "a", "operator": "<", "value2": 1}, "Text and a number have no order. "),
        ("Condition", {"value1": [], "operator": "<", "value2": {}}, "A list and an object have no order. "),
        ("StepThroughItems", {"items_str": "{"}, "The text is not JSON: "),
        ("StepThroughItems", {"items_str": "5"}, "The text is JSON, but neither a list nor an object. "),
        ("FindInDictionary", {"input": "{", "key": "a"}, "The text to look in is not JSON: "),
        ("FillTextTemplate", {"values": {}, "format": "{{"}, "The template cannot be filled in: "),
        ("FillTextTemplate", {"values": {"n": 0}, "format": "{{ 1 / n }}"}, "The template cannot be filled in: "),
        ("TextSplit", {"text": "a", "delimiter": ""}, "The delimiter is empty. "),
        ("MatchTextPattern", {"text": "a", "match": "[", "data": 1}, "The pattern is not a regular expression: "),
        ("MatchTextPattern", {"text": "a", "match": "(a+)+$", "data": 1}, "The pattern repeats a group that ends in"),
        ("ExtractTextInformation", {"text": "a", "pattern": "(a*)*b"}, "The pattern repeats a group that ends in"),
        ("ExtractTextInformation", {"text": "a", "pattern": "a" * 4001}, "The pattern is longer than 4,000 "),
        ("ExtractTextInformation", {"text": "a" * 2_000_001, "pattern": "b"}, "The text is longer than 2,000,000 "),
        ("RemoveFromDictionary", {"dictionary": {}, "key": "a"}, "Key 'a' is not in the dictionary"),
        ("ReplaceDictionaryValue", {"dictionary": {}, "key": 1, "value": 1}, "Key 1 is not in the dictionary"),
        ("GetListItem", {"list": [1], "index": 1}, "The list has 1 items, none at 1"),
        ("RemoveFromList", {"list": [1], "index": 5}, "The list has no such item"),
        ("RemoveFromList", {"list": [1], "value": 5}, "The list has no such item"),
    ],
)  # fmt: skip
async def test_fails_with_a_sentence(block: str, inputs: dict[str, object], message: str) -> None:
    with pytest.raises(BlockError) as caught:
        await outputs_of(block, **inputs)
    assert caught.value.message.startswith(message)


async def test_a_format_that_fails_costs_no_output() -> None:
    ((pin, text),) = await outputs_of("AgentOutput", name="n", value=[1], format="{{ n")
    assert pin == "output"
    assert text.startswith("Error: The template cannot be filled in: ")
    assert text.endswith(", [1]")


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ value.append(1) }}",
        "{% include '/etc/passwd' %}",
        "{{ self.__init__.__globals__ }}",
    ],
)
async def test_templates_reach_nothing_but_their_values(template: str) -> None:
    values: dict[str, Any] = {"value": []}
    try:
        ((_, text),) = await outputs_of("FillTextTemplate", values=values, format=template)
    except BlockError:
        text = ""
    assert text == ""
    assert values == {"value": []}


@pytest.mark.parametrize("pattern", [r"(a+)b", r"(?:ab)+", r"[+*)]+", r"(\w+\s)*x", r"(a{2})+", r"\+\)+"])
async def test_ordinary_repetitions_are_allowed(pattern: str) -> None:
    assert (await outputs_of("ExtractTextInformation", text="zzz", pattern=pattern))[0] == ("negative", "zzz")


async def test_inputs_are_never_changed_in_place() -> None:
    listed: list[Any] = [1]
    entries = {"a": 1}
    await outputs_of("AddToList", list=listed, entry=2)
    await outputs_of("RemoveFromList", list=listed, index=0)
    await outputs_of("AddToDictionary", dictionary=entries, key="b", value=2)
    await outputs_of("RemoveFromDictionary", dictionary=entries, key="a")
    await outputs_of("ReplaceDictionaryValue", dictionary=entries, key="a", value=5)
    assert (listed, entries) == ([1], {"a": 1})
