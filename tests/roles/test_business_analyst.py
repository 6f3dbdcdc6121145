from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chatgpt_codex.roles import BusinessAnalystBlock
from chatgpt_codex.roles.work import read_handoff
from chatgpt_codex.simulator import Simulator

Play = Callable[..., Awaitable[Any]]

STUB = {"path": "tests/test_hello.py", "language": "python", "content": "# says Hello\n", "requirement_ids": ["R1.1"]}
PM_HANDOFF = {
    "handoff_version": 1,
    "role": "project_manager",
    "brief": "Greet visitors.",
    "plan": {
        "goals": [{"goal": "Warm welcomes", "measure": "smiles"}],
        "milestones": [],
        "risks": [],
        "stakeholder_update": "Soon.",
        "open_questions": [],
    },
}


def _script(requirements: list[dict[str, Any]], **more: object) -> dict[str, object]:
    answer = {"requirements": requirements, "out_of_scope": ["Farewells"], "open_questions": ["Which?"], **more}
    return {"on_unmatched": "error", "rules": [{"when": {"schema": "specification"}, "answer": {"json": answer}}]}


async def test_plan_becomes_requirements(
    simulate: Callable[..., Simulator], play: Play, requirements: list[dict[str, Any]]
) -> None:
    simulator = simulate(_script(requirements))
    outcome = await play(BusinessAnalystBlock, handoff=PM_HANDOFF)
    assert list(outcome.pins) == [
        "response",
        "requirements",
        "out_of_scope",
        "open_questions",
        "files",
        "tests",
        "handoff",
        "model",
        "usage",
    ]
    assert outcome["requirements"] == requirements
    assert outcome["out_of_scope"] == ["Farewells"]
    assert (outcome["files"], outcome["tests"]) == ([], [])
    assert outcome["response"].startswith(
        "# Requirements\n\n## R1 (must)\n\nA visitor is greeted by name.\n\n- **R1.1** Ada reads: Hello, Ada.\n"
    )
    assert outcome["response"].endswith("## Out of scope\n\n- Farewells\n\n## Open questions\n\n- Which?\n")
    handoff = read_handoff(outcome["handoff"])
    assert handoff
    assert (handoff.role, handoff.brief, handoff.revision) == ("business_analyst", "Greet visitors.", 0)
    assert handoff.plan
    assert "Warm welcomes" in str(simulator.requests[0].body)


async def test_brief_replaces_that_of_the_handoff(
    simulate: Callable[..., Simulator], play: Play, requirements: list[dict[str, Any]]
) -> None:
    simulator = simulate(_script(requirements))
    outcome = await play(BusinessAnalystBlock, handoff=PM_HANDOFF, brief="Greet dogs.")
    assert outcome["handoff"]["brief"] == "Greet dogs."
    prompt = str(simulator.requests[0].body)
    assert "Greet dogs." in prompt
    assert "Greet visitors." not in prompt


async def test_code_mode_adds_schemas_and_stubs(
    simulate: Callable[..., Simulator], play: Play, requirements: list[dict[str, Any]]
) -> None:
    simulate(_script(requirements, files=[], tests=[STUB]))
    outcome = await play(BusinessAnalystBlock, brief="Greet visitors.", mode="code")
    assert outcome["tests"] == outcome["handoff"]["tests"] == [STUB]
    assert "## `tests/test_hello.py`\n\n```python\n# says Hello\n```" in outcome["response"]


async def test_chat_mode_does_not_take_files(
    simulate: Callable[..., Simulator], play: Play, requirements: list[dict[str, Any]]
) -> None:
    simulate(_script(requirements, files=[], tests=[STUB]))
    outcome = await play(BusinessAnalystBlock, brief="Greet visitors.")
    assert "does not fit the output schema" in outcome["error"]


async def test_ids_that_are_doubled_or_lead_nowhere_are_noticed(
    simulate: Callable[..., Simulator], play: Play, requirements: list[dict[str, Any]]
) -> None:
    stub = {**STUB, "requirement_ids": ["R7"]}
    simulate(_script([*requirements, {**requirements[1], "acceptance_criteria": []}], files=[], tests=[stub]))
    outcome = await play(BusinessAnalystBlock, brief="Greet visitors.", mode="code")
    assert outcome["notices"] == [
        "The id R2 was given twice; the second requirement of that id is now R2-2.",
        "tests/test_hello.py names R7, but no requirement or criterion has this id.",
    ]
    assert [requirement["id"] for requirement in outcome["requirements"]] == ["R1", "R2", "R2-2"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"requirements": []}, "The model named no requirement. Say more in `brief`"),
        (
            {"tests": [{**STUB, "path": "../x"}]},
            "a rule that the schema cannot say, at tests[0].path: The file path '../x'",
        ),
        ({"tests": [STUB, STUB]}, "names the file 'tests/test_hello.py' twice"),
    ],
)
async def test_answer_that_cannot_be_used_is_incomplete(
    answer: dict[str, Any],
    words: str,
    simulate: Callable[..., Simulator],
    play: Play,
    requirements: list[dict[str, Any]],
) -> None:
    whole = {"requirements": requirements, "files": [], "tests": [], **answer}
    simulate(_script(whole.pop("requirements"), **whole))
    outcome = await play(BusinessAnalystBlock, brief="Greet visitors.", mode="code")
    assert list(outcome.pins) == ["incomplete", "model", "usage", "error"]
    assert words in outcome["error"]
    assert '"out_of_scope"' in outcome["incomplete"]
    assert outcome.stats.llm_call_count == 1
