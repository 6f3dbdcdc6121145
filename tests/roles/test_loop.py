"""Whole chains: each block gets the one handoff of the block before, as links in a graph would pass it on."""

from collections.abc import Awaitable, Callable
from typing import Any

from chatgpt_codex.roles import BusinessAnalystBlock, DeveloperBlock, ProjectManagerBlock, ReviewerBlock
from chatgpt_codex.simulator import Simulator

Play = Callable[..., Awaitable[Any]]

PLAN = {"goals": [], "milestones": [], "risks": [], "stakeholder_update": "Soon.", "open_questions": []}
SPECIFICATION = {
    "requirements": [
        {
            "id": "R1",
            "story": "A visitor is greeted.",
            "priority": "must",
            "acceptance_criteria": [{"id": "R1.1", "text": "One reads Hello."}],
        }
    ],
    "out_of_scope": [],
    "open_questions": [],
}
COVERED = [{"criterion_id": "R1.1", "files": ["hello.py"], "tests": []}]


def _implementation(text: str) -> dict[str, Any]:
    file = {"path": "hello.py", "language": "python", "content": f"print({text!r})\n", "requirement_ids": ["R1.1"]}
    return {"files": [file], "tests": [], "removed_paths": [], "commands": [], "notes": ""}


def _review(*messages: str) -> dict[str, Any]:
    finding = {"severity": "major", "file": "hello.py", "line": 1, "criterion_id": "R1.1", "suggestion": "Mend it."}
    return {
        "findings": [{**finding, "message": message} for message in messages],
        "coverage": COVERED,
        "summary": "So so.",
    }


def _script(*reviews: dict[str, Any]) -> dict[str, object]:
    """Plan and specification, a new implementation for each revision, and the reviews in order."""
    in_order = [
        {"when": {"schema": "review", "call": call}, "answer": {"json": review}}
        for call, review in enumerate(reviews, start=1)
    ]
    revisions = [
        {"when": {"schema": "implementation", "call": call}, "answer": {"json": _implementation(f"Hello {call}")}}
        for call in range(1, len(reviews) + 1)
    ]
    return {
        "on_unmatched": "error",
        "rules": [
            {"when": {"schema": "project_plan"}, "answer": {"json": PLAN}},
            {"when": {"schema": "specification"}, "answer": {"json": SPECIFICATION}},
            *revisions,
            *in_order,
        ],
    }


async def _team(play: Play, max_revisions: int = 5) -> tuple[str, Any, list[Any]]:
    """Runs the team; gives the pin on which the loop ended, its value, and the outcome of each review."""
    plan = await play(ProjectManagerBlock, charter="Greet visitors.")
    analysis = await play(BusinessAnalystBlock, handoff=plan["handoff"])
    handoff, reviews = analysis["handoff"], []
    while True:
        work = await play(DeveloperBlock, handoff=handoff)
        review = await play(ReviewerBlock, handoff=work["handoff"], max_revisions=max_revisions)
        reviews.append(review)
        (way,) = {"approved_work", "changes_requested", "stopped"} & review.pins.keys()
        if way != "changes_requested":
            return way, review[way], reviews
        handoff = review["changes_requested"]


async def test_approved_after_one_change(simulate: Callable[..., Simulator], play: Play) -> None:
    simulator = simulate(_script(_review("It is too cold."), _review()))
    way, work, reviews = await _team(play)
    assert way == "approved_work"
    assert work["revision"] == 2
    assert work["files"][0]["content"] == "print('Hello 2')\n"
    assert [[found["id"] for found in past["findings"]] for past in work["history"]] == [["F1.1"], []]
    assert work["brief"] == "Greet visitors."
    assert [review["verdict"] for review in reviews] == ["changes", "approved"]
    assert len(simulator.requests) == 6
    # The second implementation and the second review have been told of the finding.
    assert ["It is too cold." in str(request.body) for request in simulator.requests] == [False] * 4 + [True] * 2


async def test_reviewer_that_never_approves_ends_by_the_cap(simulate: Callable[..., Simulator], play: Play) -> None:
    simulate(_script(_review("Too cold."), _review("Too warm."), _review("Too loud.")))
    way, stopped, reviews = await _team(play, max_revisions=3)
    assert (way, stopped["reason"], len(reviews)) == ("stopped", "round_cap", 3)
    assert stopped["partial_work"]["files"][0]["content"] == "print('Hello 3')\n"
    assert stopped["partial_work"]["revision"] == 3


async def test_reviewer_that_repeats_itself_ends_earlier(simulate: Callable[..., Simulator], play: Play) -> None:
    simulate(_script(_review("Too cold."), _review("Too warm."), _review("Too  WARM!", "Too loud.")))
    way, stopped, reviews = await _team(play, max_revisions=9)
    assert (way, stopped["reason"], len(reviews)) == ("stopped", "same_finding_twice", 3)
    assert stopped["explanation"].startswith("Finding F3.1 was there in the round before")


async def test_reviewer_that_goes_in_circles_ends_earlier(simulate: Callable[..., Simulator], play: Play) -> None:
    simulate(_script(_review("Too cold."), _review("Too warm."), _review("Too cold.")))
    way, stopped, reviews = await _team(play, max_revisions=9)
    assert (way, stopped["reason"], len(reviews)) == ("stopped", "no_new_blocking_finding", 3)


async def test_stopped_work_can_be_taken_up_again(simulate: Callable[..., Simulator], play: Play) -> None:
    simulate(_script(_review("Too cold."), _review()))
    _, stopped, _ = await _team(play, max_revisions=1)
    again = await play(DeveloperBlock, handoff=stopped["partial_work"], feedback="Be warmer.")
    review = await play(ReviewerBlock, handoff=again["handoff"], max_revisions=1)
    assert review["approved_work"]["revision"] == 2
