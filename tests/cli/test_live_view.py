"""The view of a run: what a person reads while it goes on."""

import io

import pytest
from rich.console import Console

from chatgpt_codex.cli.live_view import PlainView, RunView, TableView, run_view
from chatgpt_codex.llm.events import Noticed, Retrying, TextDelta
from chatgpt_codex.runner.events import NodeFailed, NodeFinished, NodeOutput, NodeProgress, NodeStarted, RunFinished
from chatgpt_codex.runner.result import ExecutionRef, RunResult, UsageTotals

STATS = {"input_token_count": 1200, "output_token_count": 34, "provider_cost": 0.0123}


def ref(name: str = "Developer", number: int = 1, block: str = "DeveloperBlock") -> ExecutionRef:
    return ExecutionRef(
        id=f"{name}:{number}", node_id=name, node_name=name, block_id="b", block_name=block, number=number
    )


def shown(view: TableView, width: int = 100) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width).print(view)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


@pytest.fixture
def table() -> TableView:
    return TableView(Console(file=io.StringIO(), width=100, height=6))


def test_a_row_follows_its_node(table: TableView) -> None:
    table(NodeStarted(execution=ref(), inputs={}))
    assert shown(table) == ["running Developer 0.0 s"]
    table(NodeProgress(execution=ref(), event=TextDelta('{"files":[{"path":"a.py",')))
    assert shown(table)[0].startswith("running Developer files : path : a.py , ")
    table(NodeProgress(execution=ref(), event=Retrying(reason="It is busy.", delay_seconds=2, attempt=2)))
    assert shown(table)[0].startswith("waiting Developer It is busy. Next attempt in 2.0 s.")
    table(NodeOutput(execution=ref(), pin="response", value="# Revision 1\n\nShort."))
    table(NodeFinished(execution=ref(), seconds=3.25, stats=STATS))
    assert shown(table) == ["done Developer Revision 1 1,234 tokens $0.0123 3.2 s"]


def test_each_round_has_a_row_and_a_failure_its_reason(table: TableView) -> None:
    for number in (1, 2):
        table(NodeStarted(execution=ref(number=number), inputs={}))
    table(NodeFailed(execution=ref(number=2), message="No credit left.", seconds=1.0, stats={}))
    rows = shown(table)
    assert rows[0].startswith("running Developer ")
    assert rows[1] == "failed Developer #2 No credit left. 1.0 s"


def test_only_as_many_rows_as_the_terminal_holds(table: TableView) -> None:
    for number in range(1, 21):
        table(NodeStarted(execution=ref(number=number), inputs={}))
    assert [row.split()[2] for row in shown(table)[1:]] == ["#18", "#19", "#20"]
    assert shown(table)[0] == "… 17 more 17 running"


def test_what_runs_keeps_its_row_when_there_are_too_many(table: TableView) -> None:
    for number in range(1, 8):
        table(NodeStarted(execution=ref(number=number), inputs={}))
    for number in range(2, 7):
        table(NodeFinished(execution=ref(number=number), seconds=1, stats={}))
    assert [row.split()[:3] for row in shown(table)] == [
        ["…", "4", "more"],
        ["running", "Developer", "0.0"],
        ["done", "Developer", "#6"],
        ["running", "Developer", "#7"],
    ]


def test_a_run_that_is_over_has_nothing_running(table: TableView) -> None:
    table(NodeStarted(execution=ref(), inputs={}))
    result = RunResult(run_id="r", status="cancelled", outputs={}, errors=[], executions=[], usage=UsageTotals())
    table(RunFinished(result=result))
    assert shown(table) == ["stopped Developer 0.0 s"]


def test_a_narrow_terminal_keeps_state_node_words_and_time() -> None:
    view = TableView(Console(file=io.StringIO(), width=40, height=6))
    view(NodeStarted(execution=ref(), inputs={}))
    view(NodeOutput(execution=ref(), pin="response", value="# Revision 1"))
    view(NodeFinished(execution=ref(), seconds=3.25, stats=STATS))
    assert shown(view, width=40) == ["done Developer Revision 1 3.2 s"]


@pytest.mark.parametrize(("environment", "kind"), [({}, TableView), ({"TERM": "dumb"}, PlainView)])
def test_who_can_move_the_cursor_gets_the_table(
    environment: dict[str, str], kind: type[RunView], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    with run_view(terminal) as view:
        assert isinstance(view, kind)


@pytest.mark.parametrize("plain", [True, False])
def test_plumbing_is_not_shown(plain: bool, table: TableView) -> None:
    out = io.StringIO()
    view: RunView = PlainView(Console(file=out)) if plain else table
    for block in ("AgentInputBlock", "AgentNumberInputBlock", "AgentOutputBlock"):
        view(NodeStarted(execution=ref(block=block), inputs={}))
        view(NodeFinished(execution=ref(block=block), seconds=0, stats={}))
    assert (out.getvalue(), "".join(shown(table))) == ("", "")


def test_plain_lines_say_what_happened_and_obey_no_model() -> None:
    out = io.StringIO()
    view = PlainView(Console(file=out))
    hostile = ref(name="\x1b]0;owned\x07Dev [red]")
    view(NodeStarted(execution=hostile, inputs={}))
    view(NodeProgress(execution=hostile, event=Noticed("temperature was not sent.")))
    view(NodeFinished(execution=hostile, seconds=1.5, stats=STATS))
    assert out.getvalue().splitlines() == [
        "]0;ownedDev [red]: started",
        "]0;ownedDev [red]: temperature was not sent.",
        "]0;ownedDev [red]: done in 1.5 s, 1,234 tokens",
    ]


def test_the_table_obeys_no_model_either(table: TableView) -> None:
    table(NodeStarted(execution=ref(), inputs={}))
    table(NodeProgress(execution=ref(), event=TextDelta("\x1b[2Jhello\r[bold]")))
    out = io.StringIO()
    Console(file=out, width=100).print(table)
    assert "\x1b" not in out.getvalue()
    assert "hello bold" in " ".join(out.getvalue().split())
