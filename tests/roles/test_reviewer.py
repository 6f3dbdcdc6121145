from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chatgpt_codex.roles import ReviewerBlock
from chatgpt_codex.roles.work import read_handoff
from chatgpt_codex.simulator import Simulator

Play = Callable[..., Awaitable[Any]]

WAYS = {"approved_work", "changes_requested", "stopped"}
COVERAGE = [
    {"criterion_id": name, "files": ["src/hello.py"], "tests": ["tests/test_hello.py"]}
    for name in ("R1.1", "R1.2", "R2.1")
]


def _finding(severity: str, message: str = "It shouts.", **place: object) -> dict[str, Any]:
    empty = {"file": None, "line": None, "criterion_id": None}
    return {"severity": severity, "message": message, "suggestion": "Whisper.", **empty, **place}


def _script(*findings: dict[str, Any], coverage: list[dict[str, Any]] = COVERAGE) -> dict[str, object]:
    review = {"findings": list(findings), "coverage": coverage, "summary": "It greets."}
    return {"on_unmatched": "error", "rules": [{"when": {"schema": "review"}, "answer": {"json": review}}]}


async def test_good_work_is_approved(simulate: Callable[..., Simulator], play: Play, handoff: dict[str, Any]) -> None:
    simulator = simulate(_script(_finding("nit", file="src/hello.py", line=1, criterion_id="R1.1")))
    outcome = await play(ReviewerBlock, handoff=handoff, test_output="2 passed")
    assert list(outcome.pins) == [
        "response",
        "findings",
        "coverage",
        "verdict",
        "approved_work",
        "handoff",
        "model",
        "usage",
    ]
    assert outcome["verdict"] == "approved"
    assert outcome["findings"] == [{"id": "F1.1", **_finding("nit", file="src/hello.py", line=1, criterion_id="R1.1")}]
    assert [(row["criterion_id"], row["covered"]) for row in outcome["coverage"]] == [
        ("R1.1", True),
        ("R1.2", True),
        ("R2.1", True),
    ]
    assert outcome["approved_work"] == outcome["handoff"]
    assert outcome["response"] == (
        "# Review of revision 1: approved\n"
        "\n"
        "No finding stands in the way.\n"
        "\n"
        "It greets.\n"
        "\n"
        "## Findings\n"
        "\n"
        "| Id | Severity | Where | Criterion | Finding | Suggestion |\n"
        "|---|---|---|---|---|---|\n"
        "| F1.1 | nit | `src/hello.py:1` | R1.1 | It shouts. | Whisper. |\n"
        "\n"
        "## Coverage\n"
        "\n"
        "| Criterion | Priority | Files | Tests | Findings | Covered |\n"
        "|---|---|---|---|---|---|\n"
        "| R1.1 | must | `src/hello.py` | `tests/test_hello.py` | F1.1 | yes |\n"
        "| R1.2 | must | `src/hello.py` | `tests/test_hello.py` |  | yes |\n"
        "| R2.1 | could | `src/hello.py` | `tests/test_hello.py` |  | yes |\n"
    )
    prompt = str(simulator.requests[0].body)
    assert all(
        text in prompt
        for text in ("2 passed", "File src/hello.py (for R1.1, R1.2)", "def test_hello", "Short.", "R2.1")
    )


async def test_changes_requested_hold_all_that_the_developer_needs(
    simulate: Callable[..., Simulator], play: Play, handoff: dict[str, Any]
) -> None:
    simulate(_script(_finding("major"), _finding("minor")))
    outcome = await play(ReviewerBlock, handoff=handoff)
    assert WAYS & outcome.pins.keys() == {"changes_requested"}
    assert outcome["verdict"] == "changes"
    assert outcome["response"].startswith("# Review of revision 1: changes requested\n\nMust change: F1.1.\n")
    back = read_handoff(outcome["changes_requested"])
    assert back
    assert (back.role, back.revision) == ("reviewer", 1)
    assert [finding.id for finding in back.findings] == ["F1.1", "F1.2"]
    assert back.history[0].findings == back.findings
    assert [file.to_json() for file in back.files] == handoff["files"]
    assert [requirement.to_json() for requirement in back.requirements] == handoff["requirements"]


@pytest.mark.parametrize(
    ("revision", "last", "cap", "reason"),
    [
        (2, "It whispers.", 2, "round_cap"),
        (2, "it shouts", 3, "same_finding_twice"),
    ],
)
async def test_loop_stops_with_reason_and_partial_work(
    revision: int,
    last: str,
    cap: int,
    reason: str,
    simulate: Callable[..., Simulator],
    play: Play,
    handoff: dict[str, Any],
) -> None:
    simulator = simulate(_script(_finding("major")))
    past = {"revision": revision - 1, "findings": [{"id": "F1.1", **_finding("major", last)}]}
    outcome = await play(
        ReviewerBlock, handoff={**handoff, "revision": revision, "history": [past]}, max_revisions=str(cap)
    )
    assert WAYS & outcome.pins.keys() == {"stopped"}
    stopped = outcome["stopped"]
    assert stopped["reason"] == reason
    assert stopped["partial_work"] == outcome["handoff"]
    assert [file["path"] for file in stopped["partial_work"]["files"]] == ["src/hello.py"]
    assert outcome["response"].startswith(f"# Review of revision 2: stopped\n\n{stopped['explanation']}\n")
    assert last in str(simulator.requests[0].body)


async def test_uncovered_must_have_is_a_finding_of_ours(
    simulate: Callable[..., Simulator], play: Play, handoff: dict[str, Any]
) -> None:
    simulate(_script(coverage=[*COVERAGE[:1], *COVERAGE[2:]]))
    outcome = await play(ReviewerBlock, handoff=handoff)
    assert outcome["verdict"] == "changes"
    assert [(found["severity"], found["criterion_id"], found["message"]) for found in outcome["findings"]] == [
        ("major", "R1.2", "No file of the work fulfils R1.2.")
    ]
    assert outcome["notices"] == ["The review does not say what fulfils R1.2, so it counts as not covered."]
    assert "| R1.2 | must |  |  | F1.1 | no |" in outcome["response"]


async def test_ids_that_lead_nowhere_are_in_notices_findings_and_coverage(
    simulate: Callable[..., Simulator], play: Play, handoff: dict[str, Any]
) -> None:
    handoff["files"][0]["requirement_ids"] = ["R1", "R5"]
    simulate(_script(_finding("nit", criterion_id="R6.1", file="gone.py")))
    outcome = await play(ReviewerBlock, handoff=handoff)
    assert outcome["verdict"] == "approved"
    assert outcome["notices"] == [
        "Finding F1.1 names R6.1, but no criterion has this id.",
        "Finding F1.1 names 'gone.py', but the work has no such file.",
        "src/hello.py names R5, but no requirement or criterion has this id.",
    ]
    assert outcome["findings"][1]["message"] == outcome["notices"][2]
    assert outcome["coverage"][3]["criterion_id"] == "R6.1"
    assert "| R6.1 |  |  |  | F1.1 | unknown id |" in outcome["response"]


async def test_work_without_a_handoff_counts_as_a_first_revision(
    simulate: Callable[..., Simulator], play: Play, requirements: list[dict[str, Any]]
) -> None:
    coverage = [{**row, "tests": []} for row in COVERAGE]
    simulate(_script(coverage=coverage))
    outcome = await play(ReviewerBlock, requirements=requirements, files=[{"path": "src/hello.py", "content": "x"}])
    assert outcome["verdict"] == "approved"
    assert outcome["approved_work"]["revision"] == 1


async def test_other_inputs_replace_the_handoff(
    simulate: Callable[..., Simulator], play: Play, handoff: dict[str, Any]
) -> None:
    simulator = simulate(_script())
    outcome = await play(
        ReviewerBlock, handoff=handoff, tests=[{"path": "check.py", "content": "assert 1"}], files=handoff["files"]
    )
    assert [test["path"] for test in outcome["handoff"]["tests"]] == ["check.py"]
    assert "def test_hello" not in str(simulator.requests[0].body)
