"""`chatgpt-codex autogpt`: what it says, where it says it, and its exit codes."""

import json
from pathlib import Path

import pytest

from chatgpt_codex import __version__
from chatgpt_codex.autogpt.contents import PACKAGE, platform_files
from chatgpt_codex.cli import main

BLOCKS = "backend/blocks"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["autogpt", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_from_install_to_uninstall(backend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = backend / BLOCKS / "chatgpt_codex"

    code, out, err = run(capsys, "install", backend)
    assert (code, out) == (
        0,
        f"Installed the blocks (copy, version {__version__}): {copy}\n  {len(platform_files())} files written\n",
    )
    assert f"chatgpt-codex autogpt verify {backend}" in err
    assert "docker compose up -d --build" in err
    assert "All services" in err
    assert "local backend" in err

    code, out, err = run(capsys, "install", backend)
    assert (code, out, err) == (0, f"Nothing to do: version {__version__} is in {copy}, unchanged.\n", "")

    code, out, _ = run(capsys, "status", backend)
    assert (code, out) == (0, f"copy, version {__version__}: {copy}\n")

    (copy / "block.py").write_text("# mine\n")
    code, out, _ = run(capsys, "status", backend)
    assert "  edited   block.py\n" in out
    assert f"chatgpt-codex autogpt upgrade {backend}" in out

    code, out, _ = run(capsys, "uninstall", backend)
    kept = backend / "backend" / "chatgpt_codex.kept-1"
    assert code == 0
    assert out.startswith(f"Uninstalled the blocks (copy, version {__version__}): {copy}\n")
    assert f"moved to {kept}, where the server does not look: block.py" in out
    assert (kept / "block.py").read_text() == "# mine\n"

    code, out, err = run(capsys, "uninstall", backend)
    assert (code, out, err) == (0, f"Nothing to do: nothing is installed in {backend / BLOCKS}.\n", "")


def test_a_dry_run_lists_and_changes_nothing(backend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(backend.rglob("*"))

    code, out, err = run(capsys, "install", backend, "--dry-run")

    assert (code, err) == (0, "")
    assert out.startswith("Would install the blocks (copy")
    assert "  write   block.py\n" in out
    assert sorted(backend.rglob("*")) == before


def test_the_shim_says_what_it_needs(backend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "install", backend, "--mode", "shim")

    assert code == 0
    assert "1 file written" in out
    # Not from an index, where the name is not ours.
    assert f"pip install {PACKAGE.parent}\n" in err


def test_a_refusal_is_one_paragraph(backend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (backend / BLOCKS / "chatgpt_codex").mkdir()

    code, out, err = run(capsys, "install", backend)

    assert (code, out) == (1, "")
    assert err.startswith("Error: ")
    assert "was not installed by this command" in err


@pytest.mark.parametrize("command", ["install", "upgrade", "uninstall", "status", "verify"])
def test_a_path_without_a_platform_is_a_wrong_call(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, command, tmp_path)

    assert (code, out) == (2, "")
    assert err.startswith("Error: No AutoGPT platform at ")


def test_status_for_programs(backend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(run(capsys, "status", backend, "--json")[1]) == {
        "blocks_folder": str(backend / BLOCKS),
        "installed": None,
    }
    run(capsys, "install", backend)

    assert json.loads(run(capsys, "status", backend, "--json")[1]) == {
        "blocks_folder": str(backend / BLOCKS),
        "installed": "copy",
        "version": __version__,
        "place": str(backend / BLOCKS / "chatgpt_codex"),
        "current": True,
        "edited": [],
        "added": [],
        "missing": [],
    }


def test_errors_for_programs_are_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("status", "verify"):
        code, out, _ = run(capsys, command, tmp_path, "--json")

        assert code == 2
        assert json.loads(out)["error"].startswith("No AutoGPT platform at ")


def test_verify_without_a_finding(backend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "verify", backend)

    assert code == 0, out
    assert (
        "ours are not installed yet, and were checked as they would be: BusinessAnalystBlock, ChatGPTCodexBlock" in out
    )
    assert "Not run under the platform's own Python. To do that: --python PYTHON\n" in out
    assert out.endswith("0 problems, 0 warnings.\n")


def test_verify_shows_what_where_and_what_to_do(backend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = backend / BLOCKS / "pkg" / "Upper.py"
    wrong.parent.mkdir()
    wrong.write_text("")

    code, out, _ = run(capsys, "verify", backend)

    assert code == 1
    assert out.startswith("problem: The server stops at pkg/Upper.py: 'Upper' holds other characters")
    assert f"\n  where: {wrong}\n  fix:   Rename it, or move it out of the blocks folder.\n" in out
    assert out.endswith("1 problem, 0 warnings.\n")


def test_verify_for_programs(backend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (backend / BLOCKS / "wrong.py").write_text("x = (\n")

    code, out, _ = run(capsys, "verify", backend, "--json")

    report = json.loads(out)
    assert code == 1
    assert report["ok"] is False
    assert report["our_blocks"][1] == "ChatGPTCodexBlock"
    assert report["trial"] is None
    (finding,) = report["findings"]
    assert finding.keys() == {"severity", "rule", "what", "path", "line", "fix"}
    assert (finding["rule"], finding["path"], finding["line"]) == ("syntax", str(backend / BLOCKS / "wrong.py"), 1)


def test_verify_under_a_python_without_the_platform_s_packages(
    backend: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, err = run(capsys, "verify", backend, "--python", tmp_path / "nowhere")

    assert (code, out) == (1, "")
    assert "nowhere cannot be started: No such file or directory" in err


def test_names_from_disk_cannot_steer_the_terminal(backend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (backend / BLOCKS / "a\x1b[31mb.py").write_text("")

    _, out, _ = run(capsys, "verify", backend)

    assert "\x1b" not in out


def test_the_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")

    assert code == 0
    for command in ("install", "status", "upgrade", "uninstall", "verify"):
        assert f"  {command} " in out
