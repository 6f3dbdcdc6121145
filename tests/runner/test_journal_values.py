"""Values as the journal stores them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.runner.execution_ids import node_path
from chatgpt_codex.runner.journal.stored_values import PART_BYTES, compress, digest_of, pack, part_digests, unpack

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters())
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
PAIRS = st.lists(st.tuples(st.text(), JSON | st.text(min_size=PART_BYTES)))


def stored(pairs: list[tuple[str, Any]]) -> tuple[bytes, dict[bytes, bytes]]:
    packed = pack(pairs)
    return packed.document, {digest: compress(content) for digest, content in packed.parts.items()}


@given(PAIRS)
def test_pairs_come_back_as_they_were(pairs: list[tuple[str, Any]]) -> None:
    document, parts = stored(pairs)
    back = unpack(document, parts)
    assert back == pairs
    # Equality takes 1 for 1.0 and True, and does not see the order of keys.
    assert repr(back) == repr(pairs)
    assert set(part_digests(document)) == parts.keys()


def test_half_a_surrogate_pair_is_kept() -> None:
    pairs = [("text", "cut \ud83d"), ("long", "\udc00" * PART_BYTES)]
    assert unpack(*stored(pairs)) == pairs


def test_a_large_value_is_kept_apart_and_once() -> None:
    value = "x" * 1000
    packed = pack([("a", value), ("b", value), ("c", "small")])
    assert len(packed.parts) == 1
    assert len(packed.document) < 120


@pytest.mark.parametrize("value", [10**5000, float], ids=["digits", "class"])
def test_what_has_no_json_form_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        pack([("pin", value)])


@given(st.dictionaries(st.text(), JSON, min_size=2))
def test_the_order_of_keys_does_not_change_a_digest(inputs: dict[str, object]) -> None:
    assert digest_of(inputs) == digest_of(dict(reversed(inputs.items())))


def test_what_python_takes_for_equal_has_different_digests() -> None:
    assert len({digest_of({"n": value}) for value in (1, 1.0, True, "1")}) == 4


def test_who_signs_in_does_not_change_a_digest() -> None:
    mine = {"id": "a", "provider": "openai", "type": "api_key", "title": "Mine"}
    yours = {"id": "b", "provider": "openai", "type": "oauth2", "title": "Yours"}
    assert digest_of({"credentials": mine, "n": 1}) == digest_of({"credentials": yours, "n": 1})
    assert digest_of({"mail_credentials": mine}) == digest_of({"mail_credentials": yours})
    assert digest_of({"person": mine}) != digest_of({"person": yours})
    assert digest_of({"credentials": "a"}) != digest_of({"credentials": "b"})


@pytest.mark.parametrize(
    ("execution_id", "path"),
    [("a:1", ("a",)), ("a:12/b:3", ("a", "b")), ("a%2Fb%25:1:2", ("a/b%:1",)), ("a%252F:1", ("a%2F",))],
)
def test_an_execution_id_names_its_nodes(execution_id: str, path: tuple[str, ...]) -> None:
    assert node_path(execution_id) == path
