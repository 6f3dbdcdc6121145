import pytest

from chatgpt_codex.block_sdk import NodeExecutionStats


def test_everything_starts_at_nothing() -> None:
    stats = NodeExecutionStats()

    assert {name for name, value in stats if value} == set()
    assert stats.error is None


@pytest.mark.parametrize(
    ("ours", "theirs", "total"),
    [
        (1, 2, 3),
        (1, 0.5, 1.5),
        ([1], [2], [1, 2]),
        ({"a": 1, "b": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ("a", "b", "b"),
        (None, 3, 3),
        (3, None, 3),
    ],
)
def test_further_fields_add_up_too(ours: object, theirs: object, total: object) -> None:
    stats = NodeExecutionStats.model_validate({"provider_cost": ours})

    stats += NodeExecutionStats.model_validate({"provider_cost": theirs})

    assert stats.model_dump()["provider_cost"] == total


def test_a_field_only_the_other_has_is_taken_over() -> None:
    stats = NodeExecutionStats(walltime=1.5)

    stats += NodeExecutionStats.model_validate({"walltime": 2, "error": "broken", "provider_cost": 0.25})

    assert stats.walltime == 3.5
    assert stats.error == "broken"
    assert stats.model_dump()["provider_cost"] == 0.25


def test_adding_leaves_the_other_alone() -> None:
    theirs = NodeExecutionStats.model_validate({"models": ["a"]})
    stats = NodeExecutionStats()

    stats += theirs
    stats += theirs

    assert theirs.model_dump()["models"] == ["a"]
    assert stats.model_dump()["models"] == ["a", "a"]
