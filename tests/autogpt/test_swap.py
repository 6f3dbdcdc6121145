"""A kill at any moment leaves the old state or the new one, and the next run finishes the rest."""

import subprocess
import sys
from pathlib import Path

import pytest

from chatgpt_codex.autogpt.errors import ChangeFailedError
from chatgpt_codex.autogpt.swap import STAGING_NAME, finish_interrupted, replace, staging

KILL_EVERYWHERE = """
import os, shutil, sys
from pathlib import Path
from chatgpt_codex.autogpt import swap

folder, what, exchange = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
if exchange == "without":
    swap._exchange = lambda one, other: False
target = folder / "target"


def work():
    with swap.staging(folder, target) as stage:
        if what == "remove":
            swap.remove(target, stage)
            return
        (stage / "new" / "sub").mkdir(parents=True)
        (stage / "new" / "a.py").write_text("new")
        (stage / "new" / "sub" / "b.py").write_text("new")
        swap.replace(stage / "new", target, stage)


def state():
    return {str(path.relative_to(target)): path.read_text() for path in target.rglob("*.py")}


old = {} if what == "first" else {"a.py": "old", "c.py": "old"}
new = {} if what == "remove" else {"a.py": "new", "sub/b.py": "new"}
seen, moment = [], 0
while True:
    shutil.rmtree(folder)
    folder.mkdir()
    if old:
        target.mkdir()
        for name in old:
            (target / name).write_text("old")
    moment += 1
    child = os.fork()
    if child == 0:
        left = [moment]

        def die(event, arguments):
            if event.startswith(("os.", "shutil.", "open", "ctypes.")):
                left[0] -= 1
                if left[0] == 0:
                    os._exit(9)

        sys.addaudithook(die)
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if exchange == "without":
        swap.finish_interrupted(folder, target)
    found = state()
    if found not in (old, new):
        sys.exit(f"killed at {moment}: {found}")
    seen.append(found)
    swap.finish_interrupted(folder, target)
    if state() != found or list(folder.iterdir()) not in ([], [target]):
        sys.exit(f"not put right after {moment}: {state()} {list(folder.iterdir())}")
    if os.waitstatus_to_exitcode(status) == 0:
        break
print(moment, seen.count(old), seen.count(new))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
@pytest.mark.parametrize("exchange", ["with", "without"])
@pytest.mark.parametrize("what", ["first", "replace", "remove"])
def test_a_kill_at_any_moment_leaves_the_old_state_or_the_new_one(tmp_path: Path, what: str, exchange: str) -> None:
    command = [sys.executable, "-c", KILL_EVERYWHERE, str(tmp_path / "folder"), what, exchange]
    (tmp_path / "folder").mkdir()

    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert run.returncode == 0, run.stdout + run.stderr
    moments, old, new = map(int, run.stdout.split())
    # The kills did fall on both sides of the change.
    assert moments == old + new
    assert old >= 2
    assert new >= 2


def test_two_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    with (
        staging(tmp_path, tmp_path / "target"),
        pytest.raises(ChangeFailedError, match="Another chatgpt-codex is changing"),
        staging(tmp_path, tmp_path / "target"),
    ):
        pass
    with pytest.raises(ChangeFailedError), staging(tmp_path, tmp_path / "target"):
        finish_interrupted(tmp_path, tmp_path / "target")


def test_a_file_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "target.py"
    target.write_text("old")

    with staging(tmp_path, target) as folder:
        (folder / "new").write_text("new")
        replace(folder / "new", target, folder)

    assert target.read_text() == "new"
    assert not (tmp_path / STAGING_NAME).exists()


def test_an_exception_puts_back_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()

    with pytest.raises(KeyboardInterrupt), staging(tmp_path, target) as folder:
        target.rename(folder / "before")
        raise KeyboardInterrupt

    assert target.is_dir()
    assert not (tmp_path / STAGING_NAME).exists()
