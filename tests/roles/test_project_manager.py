from collections.abc import Awaitable, Callable
from typing import Any

from chatgpt_codex.roles import ProjectManagerBlock
from chatgpt_codex.roles.work import read_handoff
from chatgpt_codex.simulator import Simulator

PLAN: dict[str, Any] = {
    "goals": [{"goal": "Answer ten questions", "measure": "90% solved | without a call"}],
    "milestones": [
        {"name": "Search", "outcome": "One can search.", "due": "open"},
        {"name": "Launch", "outcome": "Everybody can.", "due": "in June"},
    ],
    "risks": [{"risk": "Nobody finds it", "impact": "high", "mitigation": "Link it from the form."}],
    "stakeholder_update": "We start in May.",
    "open_questions": ["Who writes\nthe answers?"],
}


async def test_charter_becomes_a_plan(simulate: Callable[..., Simulator], play: Callable[..., Awaitable[Any]]) -> None:
    simulator = simulate(
        {"on_unmatched": "error", "rules": [{"when": {"schema": "project_plan"}, "answer": {"json": PLAN}}]}
    )
    outcome = await play(ProjectManagerBlock, charter="A help page.", constraints="By June.", audience="the board")
    assert list(outcome.pins) == ["response", *PLAN, "handoff", "model", "usage"]
    assert {name: outcome[name] for name in PLAN} == PLAN
    assert outcome["response"] == (
        "# Project plan\n"
        "\n"
        "We start in May.\n"
        "\n"
        "## Goals\n"
        "\n"
        "| Goal | Measure |\n"
        "|---|---|\n"
        "| Answer ten questions | 90% solved \\| without a call |\n"
        "\n"
        "## Milestones\n"
        "\n"
        "| Milestone | Outcome | Due |\n"
        "|---|---|---|\n"
        "| Search | One can search. | open |\n"
        "| Launch | Everybody can. | in June |\n"
        "\n"
        "## Risks\n"
        "\n"
        "| Risk | Impact | Mitigation |\n"
        "|---|---|---|\n"
        "| Nobody finds it | high | Link it from the form. |\n"
        "\n"
        "## Open questions\n"
        "\n"
        "- Who writes the answers?\n"
    )
    handoff = read_handoff(outcome["handoff"])
    assert handoff
    assert handoff.brief == "A help page.\n\nFixed: By June."
    assert handoff.plan
    assert handoff.plan.to_json() == PLAN
    assert (outcome.stats.llm_call_count, outcome.stats.output_token_count) == (1, outcome["usage"]["output_tokens"])
    prompt = str(simulator.requests[0].body)
    assert all(text in prompt for text in ("A help page.", "By June.", "the board"))
