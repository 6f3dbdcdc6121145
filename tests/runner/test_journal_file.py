"""The journal's file: who may read it, and one sentence for each thing that can be wrong with it."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatgpt_codex.runner.graph import Graph
from chatgpt_codex.runner.journal import database
from chatgpt_codex.runner.journal.database import default_path, open_database
from chatgpt_codex.runner.journal.entries import RunStart
from chatgpt_codex.runner.journal.errors import JournalError, JournalFileError
from chatgpt_codex.runner.journal.history import open_history
from chatgpt_codex.runner.journal.opening import new_run
from chatgpt_codex.runner.journal.run_journal import RunJournal

ELSEWHERE = "ame another file with --journal, or keep nothing with --no-journal."


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.sqlite3"


def refusal(path: Path) -> str:
    with pytest.raises(JournalFileError) as refused:
        open_database(path)
    return str(refused.value)


def test_it_lies_in_the_users_state_folder() -> None:
    assert default_path().name == "runs.sqlite3"
    assert str(default_path()).startswith(os.environ["XDG_STATE_HOME"])


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "runs.sqlite3"
    before = os.umask(0)
    try:
        connection = open_database(path)
        connection.execute("CREATE TABLE something (a)")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"runs.sqlite3": 0o600, "runs.sqlite3-wal": 0o600, "runs.sqlite3-shm": 0o600}
    connection.close()


def test_reading_an_absent_journal_does_not_make_one(path: Path) -> None:
    with open_history(path) as history:
        assert (history.count(), history.runs(20)) == (0, [])
    assert not path.exists()


@pytest.mark.parametrize("attempt", range(20))
def test_many_may_make_it_at_the_same_time(path: Path, attempt: int) -> None:
    barrier = threading.Barrier(8)
    problems: list[BaseException] = []

    def make() -> None:
        barrier.wait()
        try:
            open_database(path).close()
        except JournalError as error:
            problems.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_a_newer_format_is_refused(path: Path) -> None:
    connection = open_database(path)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    assert refusal(path) == (
        f"The journal {str(path)!r} was written by a newer chatgpt-codex (format 7, this one knows 1). "
        "Upgrade, or name another file with --journal."
    )


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (address)")
    connection.close()
    before = path.read_bytes()
    assert refusal(path) == (
        f"{str(path)!r} is another program's database, no journal of runs. Name another file with --journal."
    )
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("Dear diary, today I ran a graph. " * 20)
    before = path.read_bytes()
    assert refusal(path) == f"{str(path)!r} is a file, but no journal of runs. To leave it alone, n{ELSEWHERE}"
    assert path.read_bytes() == before


def test_a_damaged_journal_is_said(path: Path, make_graph: Callable[..., Graph]) -> None:
    open_database(path).close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    run = RunStart(run_id="x", graph=make_graph({"a": ("StoreValue", {"input": 1})}), inputs={})
    with pytest.raises(JournalFileError) as refused, RunJournal(path, new_run(run)):
        pass
    assert str(refused.value) == (
        f"The journal {str(path)!r} is damaged. Move it away and a new one is made, or n{ELSEWHERE}"
    )


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"The journal {str(tmp_path)!r} is a folder. N{ELSEWHERE}"


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    folder = str(tmp_path / "state" / "deeper")
    assert refusal(tmp_path / "state" / "deeper" / "runs.sqlite3") == (
        f"The journal's folder {folder!r} cannot be made: Not a directory. N{ELSEWHERE}"
    )


@pytest.fixture
def unprivileged(tmp_path: Path) -> Iterator[Path]:
    """A folder that may be read, but not written; for root it takes the rights of nobody meanwhile."""
    if os.name == "nt":
        pytest.skip("Windows has other permissions.")
    folder = tmp_path / "readonly"
    folder.mkdir(mode=0o755)
    above = [parent for parent in folder.parents if parent.stat().st_uid == os.getuid() and parent != parent.parent]
    modes = {parent: stat.S_IMODE(parent.stat().st_mode) for parent in above}
    for parent, mode in modes.items():
        parent.chmod(mode | 0o055)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    else:
        folder.chmod(0o555)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        else:
            folder.chmod(0o755)
        for parent, mode in modes.items():
            parent.chmod(mode)


def test_an_unwritable_folder(unprivileged: Path) -> None:
    path = unprivileged / "runs.sqlite3"
    assert refusal(path) == f"The journal {str(path)!r} cannot be made: Permission denied. N{ELSEWHERE}"
    path = unprivileged / "new" / "runs.sqlite3"
    assert refusal(path) == (
        f"The journal's folder {str(path.parent)!r} cannot be made: Permission denied. N{ELSEWHERE}"
    )


def test_an_unwritable_file(unprivileged: Path) -> None:
    path = unprivileged / "runs.sqlite3"
    os.seteuid(os.getuid())
    unprivileged.chmod(0o755)
    open_database(path).close()
    path.chmod(0o444)
    if os.getuid() == 0:
        os.seteuid(65534)
    else:
        unprivileged.chmod(0o555)
    assert refusal(path) == f"The journal {str(path)!r} may not be written. Change its permissions, or n{ELSEWHERE}"


def test_a_journal_that_another_process_keeps_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    other = open_database(path)
    other.execute("BEGIN IMMEDIATE")
    connection = open_database(path)
    with (
        pytest.raises(JournalFileError, match="Another process has kept the journal"),
        database.said_in_a_sentence(path, JournalFileError),
        database.transaction(connection),
    ):
        pass
    connection.close()
    other.close()


FULL_DISK = """
import asyncio, os, resource, secrets, sys
from pathlib import Path
from chatgpt_codex.runner.executor import GraphRun
from chatgpt_codex.runner.graph import load_graph
from chatgpt_codex.runner.journal.entries import RunStart
from chatgpt_codex.runner.journal.errors import JournalWriteError
from chatgpt_codex.runner.journal.opening import new_run
from chatgpt_codex.runner.journal.run_journal import RunJournal

graph, path = load_graph(Path(sys.argv[1])), Path(sys.argv[2])
if sys.argv[3] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
with RunJournal(path, new_run(RunStart(run_id="full", graph=graph, inputs={}))) as journal:
    try:
        result = asyncio.run(GraphRun(graph, journal=journal, run_id="full", max_concurrency=1).run())
    except JournalWriteError as error:
        print(error, flush=True)
        os._exit(3)
print("nothing was wrong", result.status)
"""


@pytest.fixture(params=["limit", "small disk"])
def full_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """How the disk gets full, and a folder on it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "limit":
        yield "limit", folder
        return
    if (
        os.name == "nt"
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("A small file system can be mounted by root only.")
    try:
        yield "small disk", folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_stops_the_run(
    full_disk: tuple[str, Path], tmp_path: Path, make_graph: Callable[..., Graph]
) -> None:
    kind, folder = full_disk
    # Every node makes another large value, none of which can be compressed much.
    noise = "".join(chr(0x4E00 + (number * 7919) % 20000) for number in range(10_000))
    nodes: dict[str, tuple[str, dict[str, object]]] = {
        "n0": ("StoreValue", {"input": noise}),
        **{f"n{number}": ("FillTextTemplate", {"format": f"{{{{x}}}}{number}"}) for number in range(1, 30)},
    }
    links = [f"n{number}.output -> n{number + 1}.values_#_x" for number in range(29)]
    graph = tmp_path / "graph.json"
    graph.write_text(make_graph(nodes, *links).model_dump_json())
    path = folder / "runs.sqlite3"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(graph), str(path), kind], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3, done.stdout + done.stderr
    said = done.stdout.strip()
    reason = "cannot be used: disk I/O error. Check the disk, or" if kind == "limit" else "cannot be written. Free"
    assert reason in said
    assert said.endswith(ELSEWHERE)
    assert len(said.splitlines()) == 1
    with open_history(path) as history:
        entry = history.find("full")
        states = [execution.state for execution in history.executions(entry)]
    assert entry.status == "interrupted"
    assert "completed" in states
