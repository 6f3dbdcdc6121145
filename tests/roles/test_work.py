import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatgpt_codex.roles.work import (
    AcceptanceCriterion,
    Finding,
    Handoff,
    Requirement,
    Round,
    SourceFile,
    WorkError,
    read_handoff,
    read_parts,
)

_TEXTS = st.text(max_size=20)
_IDS = st.sampled_from(["R1", "R1.1", "R2", "REQ-7", "a_b"])
_FINDINGS = st.builds(
    Finding,
    id=_IDS,
    severity=st.sampled_from(["blocker", "major", "minor", "nit"]),
    file=st.none() | _TEXTS,
    line=st.none() | st.integers(0, 10_000),
    criterion_id=st.none() | _IDS,
    message=_TEXTS,
    suggestion=_TEXTS,
)
_HANDOFFS = st.builds(
    Handoff,
    role=st.sampled_from(["project_manager", "business_analyst", "developer", "reviewer"]),
    brief=_TEXTS,
    requirements=st.lists(
        st.builds(
            Requirement,
            id=_IDS,
            story=_TEXTS,
            priority=st.sampled_from(["must", "should", "could"]),
            acceptance_criteria=st.lists(st.builds(AcceptanceCriterion, id=_IDS, text=_TEXTS)).map(tuple),
        )
    ).map(tuple),
    files=st.lists(
        st.builds(
            SourceFile,
            path=st.integers(0, 99).map("f{}.py".format),
            language=_TEXTS,
            content=_TEXTS,
            requirement_ids=st.lists(_IDS).map(tuple),
        ),
        unique_by=lambda file: file.path,
    ).map(tuple),
    findings=st.lists(_FINDINGS, max_size=3).map(tuple),
    revision=st.integers(0, 20),
    history=st.lists(
        st.builds(Round, revision=st.integers(1, 20), findings=st.lists(_FINDINGS, max_size=3).map(tuple)), max_size=3
    ).map(tuple),
)


@settings(max_examples=40, deadline=None)
@given(_HANDOFFS)
def test_handoff_survives_the_way_through_a_pin(handoff: Handoff) -> None:
    assert read_handoff(json.loads(json.dumps(handoff.to_json()))) == handoff


def test_no_handoff_is_none() -> None:
    assert read_handoff({}) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"role": "boss"}, "at role: Input should be 'project_manager', 'business_analyst'"),
        ({"revision": -1}, "at revision: Input should be greater than or equal to 0"),
        ({"extra": 1}, "at extra: Extra inputs are not permitted"),
        ({"requirements": [{"id": "R1"}]}, "at requirements[0].story: Field required"),
        ({"requirements": [{"id": "R 1", "story": ""}]}, "at requirements[0].id: String should match pattern"),
        ({"requirements": [{"id": 1, "story": None}]}, "(and 1 more)"),
        ({"files": [{"path": "../x", "content": ""}]}, "at files[0].path: The file path '../x' leaves the project's"),
        ({"files": "none"}, "at files: Input should be a valid tuple"),
    ],
)
def test_handoff_that_does_not_fit_says_where(handoff: dict[str, Any], change: dict[str, Any], words: str) -> None:
    with pytest.raises(WorkError) as refusal:
        read_handoff({**handoff, **change})
    assert str(refusal.value).startswith("The handoff cannot be read: ")
    assert words in str(refusal.value)
    assert str(refusal.value).endswith(
        "Link the `handoff` output of another role block to this input, or correct it there."
    )


def test_fault_never_quotes_the_work(handoff: dict[str, Any]) -> None:
    with pytest.raises(WorkError) as refusal:
        read_handoff({**handoff, "plan": "the secret plan", "revision": "sk-secret"})
    assert "secret" not in str(refusal.value)


def test_text_on_the_handoff_input_is_no_handoff() -> None:
    # What conversion makes of a text for a dict.
    with pytest.raises(WorkError, match="it has no handoff_version"):
        read_handoff({"value": "Build a page."})


def test_handoff_of_a_later_release_is_refused(handoff: dict[str, Any]) -> None:
    with pytest.raises(WorkError, match="does not have version 1, the only one this release reads"):
        read_handoff({**handoff, "handoff_version": 2})


def test_handoff_written_by_hand_needs_no_version() -> None:
    assert read_handoff({"role": "business_analyst", "brief": "Greet."}) == Handoff(
        role="business_analyst", brief="Greet."
    )


def test_file_and_test_of_one_path_are_refused(handoff: dict[str, Any]) -> None:
    with pytest.raises(WorkError, match=r"names the file 'SRC/hello\.py' and 'src/hello\.py'"):
        read_handoff({**handoff, "tests": [{"path": "SRC/hello.py", "content": ""}]})


def test_parts_written_by_hand_may_be_short() -> None:
    assert read_parts("files", SourceFile, [{"path": "./a.py", "content": "x"}]) == (
        SourceFile(path="a.py", content="x"),
    )


def test_parts_that_do_not_fit_name_input_entry_and_fields() -> None:
    with pytest.raises(WorkError) as refusal:
        read_parts("files", SourceFile, [{"path": "a.py", "content": "x"}, {"value": "b.py"}])
    assert str(refusal.value) == (
        "The input `files` cannot be read: at [1].path: Field required (and 2 more). "
        "Each entry is an object with path, language, content, requirement_ids."
    )
