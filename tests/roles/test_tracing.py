from hypothesis import given, settings
from hypothesis import strategies as st

from chatgpt_codex.roles.tracing import Criterion, criteria_named, criteria_of, dangling_ids, with_distinct_ids
from chatgpt_codex.roles.work import AcceptanceCriterion, Requirement, SourceFile


def _requirement(identifier: str, *criteria: str) -> Requirement:
    return Requirement(
        id=identifier,
        story="",
        acceptance_criteria=tuple(AcceptanceCriterion(id=criterion, text="") for criterion in criteria),
    )


def test_requirement_without_criteria_is_its_own_criterion() -> None:
    assert criteria_of([_requirement("R1", "R1.1"), _requirement("R2")]) == (
        Criterion(id="R1.1", requirement_id="R1", priority="must"),
        Criterion(id="R2", requirement_id="R2", priority="must"),
    )


def test_requirement_id_means_all_its_criteria() -> None:
    criteria = criteria_of([_requirement("R1", "R1.1", "R1.2"), _requirement("R2", "R2.1")])
    assert [criterion.id for criterion in criteria_named("R1", criteria)] == ["R1.1", "R1.2"]
    assert [criterion.id for criterion in criteria_named("R2.1", criteria)] == ["R2.1"]
    assert criteria_named("R3", criteria) == criteria_named(None, criteria) == ()


def test_dangling_id_is_told_once_a_file() -> None:
    file = SourceFile(path="a.py", content="", requirement_ids=("R1", "R9", "R1.1", "R9", "R1.7"))
    assert [str(found) for found in dangling_ids([_requirement("R1", "R1.1")], [file])] == [
        "a.py names R9, but no requirement or criterion has this id.",
        "a.py names R1.7, but no requirement or criterion has this id.",
    ]


def test_doubled_ids_are_renamed_and_told() -> None:
    doubled = [_requirement("R1", "R1.1", "R1.1"), _requirement("R1", "R1.2"), _requirement("R1-2")]
    distinct, notices = with_distinct_ids(doubled)
    assert [requirement.id for requirement in distinct] == ["R1", "R1-3", "R1-2"]
    assert [criterion.id for criterion in distinct[0].acceptance_criteria] == ["R1.1", "R1.1-2"]
    assert notices == (
        "The id R1.1 was given twice; the second criterion of that id is now R1.1-2.",
        "The id R1 was given twice; the second requirement of that id is now R1-3.",
    )


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            lambda identifier, criteria: _requirement(identifier, *criteria),
            st.sampled_from(["R1", "R2", "R1-2", "R" * 64]),
            st.lists(st.sampled_from(["R1", "R1.1", "R1.1-2", "R" * 64]), max_size=4),
        ),
        max_size=5,
    )
)
def test_ids_end_up_distinct_and_distinct_ones_stay(requirements: list[Requirement]) -> None:
    distinct, notices = with_distinct_ids(requirements)
    ids = [name for one in distinct for name in (one.id, *(criterion.id for criterion in one.acceptance_criteria))]
    assert len(ids) == len(set(ids))
    assert all(Requirement(id=name, story="") for name in ids)
    assert with_distinct_ids(distinct) == (distinct, ())
    assert bool(notices) == (distinct != tuple(requirements))
