import time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.gateway.errors import GatewayError
from chatgpt_codex.gateway.request_body import model_of, parse_body, with_model

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["model", '"model":"x"', "\\", '"', "{", "}]", ","]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(before=st.dictionaries(TEXTS, VALUES), after=st.dictionaries(TEXTS, VALUES), old=TEXTS, new=TEXTS)
def test_only_the_outermost_model_changes(
    before: dict[str, object], after: dict[str, object], old: str, new: str
) -> None:
    for key in ("model",):
        before.pop(key, None)
        after.pop(key, None)
    request = {**before, "model": old, **after}
    for indented in (orjson.dumps(request), orjson.dumps(request, option=orjson.OPT_INDENT_2)):
        changed = with_model(indented, new)
        assert orjson.loads(changed) == {**request, "model": new}
        assert len(changed) - len(indented) == len(orjson.dumps(new)) - len(orjson.dumps(old))


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (b'{"model":"a","x":{"model":"a"}}', b'{"model":"b","x":{"model":"a"}}'),
        (b'{"model" : "a", "model":"c"}', b'{"model" : "b", "model":"b"}'),
        (b'{"mod\\u0065l":"a"}', b'{"mod\\u0065l":"b"}'),
        (b'{"x":"model","y":["model","a"],"model":"a"}', b'{"x":"model","y":["model","a"],"model":"b"}'),
        (b'{"x":"\\\\","model":"a"}', b'{"x":"\\\\","model":"b"}'),
    ],
)
def test_every_other_byte_stays(body: bytes, changed: bytes) -> None:
    assert with_model(body, "b") == changed


def test_a_body_full_of_models_does_not_hold_up_others() -> None:
    body = b'{"model":"a"' + b',"model":"a"' * 150_000 + b"}"
    began = time.process_time()
    assert with_model(body, "bb") == body.replace(b'"a"', b'"bb"')
    # Copying the whole body for each of them would take minutes, in which nobody else is answered.
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[]", "invalid_json"),
        (b'{"model":"\xff"}', "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b"{}", "missing_required_parameter"),
        (b'{"model":7}', "invalid_type"),
        (b'{"model":""}', "invalid_type"),
    ],
)
def test_what_is_no_request_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(GatewayError) as caught:
        model_of(parse_body(body))
    assert (caught.value.status, caught.value.code) == (400, code)
