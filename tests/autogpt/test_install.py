"""Installing, upgrading and uninstalling: what is there afterwards, and what is refused."""

import json
import os
from pathlib import Path, PurePosixPath

import pytest

from chatgpt_codex import __version__
from chatgpt_codex.autogpt import install as install_module
from chatgpt_codex.autogpt.contents import platform_files
from chatgpt_codex.autogpt.errors import ChangeFailedError, RefusedError
from chatgpt_codex.autogpt.install import perform, plan_install, plan_uninstall, plan_upgrade
from chatgpt_codex.autogpt.installation import Mode, read_installation
from chatgpt_codex.autogpt.layout import Platform
from chatgpt_codex.autogpt.stamp import STAMP_NAME

MODES: list[Mode] = ["copy", "shim"]


def tree(folder: Path) -> dict[str, bytes | str]:
    """Every file and folder below it, with its content."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else ""
        for path in sorted(folder.rglob("*"))
    }


def age(platform: Platform) -> None:
    """Makes an installed copy look like one of an older version, with a module that is gone since."""
    stamp_file = platform.copy / STAMP_NAME
    stamp = json.loads(stamp_file.read_bytes())
    (platform.copy / "gone.py").write_bytes(b"")
    stamp["version"] = "0.0.9"
    stamp["files"]["gone.py"] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    stamp_file.write_text(json.dumps(stamp))


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> Mode:
    return "copy" if request.param == "copy" else "shim"


def test_a_copy_is_the_files_that_the_blocks_need_and_a_stamp(platform: Platform) -> None:
    perform(plan_install(platform))

    found = {PurePosixPath(name): content for name, content in tree(platform.copy).items() if content != ""}
    stamp = json.loads(found.pop(PurePosixPath(STAMP_NAME)))
    assert found == platform_files()
    assert stamp["version"] == __version__
    assert stamp["files"].keys() == {str(path) for path in platform_files()}


def test_a_shim_is_one_file(platform: Platform) -> None:
    before = tree(platform.project)

    perform(plan_install(platform, "shim"))

    added = tree(platform.project).keys() - before.keys()
    assert added == {"backend/blocks/chatgpt_codex_blocks.py"}
    assert "from chatgpt_codex import" in platform.shim.read_text()


def test_nothing_else_is_touched(platform: Platform, mode: Mode) -> None:
    before = tree(platform.project)

    perform(plan_install(platform, mode))
    perform(plan_uninstall(platform))

    assert tree(platform.project) == before


def test_installing_again_does_nothing(platform: Platform, mode: Mode) -> None:
    perform(plan_install(platform, mode))
    before = tree(platform.project)

    plan = plan_install(platform, mode)
    perform(plan)

    assert plan.action == "nothing"
    assert tree(platform.project) == before


def test_uninstalling_again_does_nothing(platform: Platform) -> None:
    plan = plan_uninstall(platform)

    perform(plan)

    assert plan.action == "nothing"


def test_a_plan_alone_changes_nothing(platform: Platform, mode: Mode) -> None:
    before = tree(platform.project)

    plan = plan_install(platform, mode)

    assert plan.action == "install"
    assert tree(platform.project) == before


def test_an_upgrade_replaces_the_whole_copy(platform: Platform) -> None:
    perform(plan_install(platform))
    fresh = tree(platform.copy)
    age(platform)

    plan = plan_upgrade(platform)
    perform(plan)

    assert (plan.version_before, plan.version_after) == ("0.0.9", __version__)
    assert plan.removes == (PurePosixPath("gone.py"),)
    assert tree(platform.copy) == fresh
    assert plan_upgrade(platform).action == "nothing"


def test_an_upgrade_of_a_shim_replaces_it(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr(
            install_module,
            "shim_content",
            lambda: (
                b"# Written by chatgpt-codex 0.0.9; checksum e3b0c44298"
                b"fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
            ),
        )
        perform(plan_install(platform, "shim"))

    plan = plan_upgrade(platform)
    perform(plan)

    assert (plan.version_before, plan.version_after, plan.keeps) == ("0.0.9", __version__, ())
    assert "from chatgpt_codex import" in platform.shim.read_text()


def test_an_upgrade_needs_an_installation(platform: Platform) -> None:
    with pytest.raises(RefusedError, match=r"Nothing is installed in .* To install: chatgpt-codex autogpt install"):
        plan_upgrade(platform)


def test_installing_over_an_older_version_points_to_upgrade(platform: Platform) -> None:
    perform(plan_install(platform))
    age(platform)

    with pytest.raises(RefusedError, match=r"is version 0\.0\.9.*chatgpt-codex autogpt upgrade"):
        plan_install(platform)


@pytest.mark.parametrize("change", [plan_upgrade, plan_uninstall])
def test_local_edits_are_moved_aside_and_named(platform: Platform, change: object) -> None:
    perform(plan_install(platform))
    (platform.copy / "block.py").write_text("# mine\n")
    (platform.copy / "llm" / "mine.py").write_text("# added\n")
    (platform.copy / "llm" / "link").symlink_to("/nowhere")
    (platform.copy / "py.typed").unlink()
    cache = platform.copy / "__pycache__"
    cache.mkdir()
    (cache / "block.cpython-313.pyc").write_bytes(b"")

    plan = plan_upgrade(platform) if change is plan_upgrade else plan_uninstall(platform)
    perform(plan)

    assert [str(path) for path in plan.keeps] == ["block.py", "llm/link", "llm/mine.py"]
    assert plan.kept_folder is not None
    assert tree(plan.kept_folder) == {
        "block.py": b"# mine\n",
        "llm": "",
        "llm/link": "/nowhere",
        "llm/mine.py": b"# added\n",
    }
    assert not plan.kept_folder.is_relative_to(platform.blocks)
    installed = read_installation(platform)
    assert (installed is not None and installed.is_whole) if change is plan_upgrade else installed is None


def test_what_was_kept_before_is_not_overwritten(platform: Platform) -> None:
    for text in ("first", "second"):
        perform(plan_install(platform))
        (platform.copy / "block.py").write_text(text)
        perform(plan_uninstall(platform))

    kept = sorted(platform.package.glob("chatgpt_codex.kept-*/block.py"))
    assert [file.read_text() for file in kept] == ["first", "second"]


def test_an_edited_shim_is_moved_aside(platform: Platform) -> None:
    perform(plan_install(platform, "shim"))
    platform.shim.write_text(platform.shim.read_text() + "# mine\n")

    plan = plan_uninstall(platform)
    perform(plan)

    assert not platform.shim.exists()
    assert plan.kept_folder is not None
    assert (plan.kept_folder / platform.shim.name).read_text().endswith("# mine\n")


def test_a_removed_file_is_missed_and_put_back(platform: Platform) -> None:
    perform(plan_install(platform))
    (platform.copy / "block.py").unlink()

    installed = read_installation(platform)
    assert installed is not None
    assert installed.missing == (PurePosixPath("block.py"),)
    with pytest.raises(RefusedError, match=r"differs from this version \(files: 1 missing\)"):
        plan_install(platform)
    perform(plan_upgrade(platform))
    assert (platform.copy / "block.py").exists()


@pytest.mark.parametrize(("first", "second"), [("copy", "shim"), ("shim", "copy")])
def test_copy_and_shim_are_not_mixed(platform: Platform, first: Mode, second: Mode) -> None:
    perform(plan_install(platform, first))

    with pytest.raises(RefusedError, match=f"installed as a {first} already .* install --mode {second}"):
        plan_install(platform, second)


def test_a_folder_that_is_not_ours_is_left_alone(platform: Platform) -> None:
    platform.copy.mkdir()
    (platform.copy / "block.py").write_text("# a copy by hand\n")

    for plan in (plan_install, plan_upgrade, plan_uninstall):
        with pytest.raises(RefusedError, match="was not installed by this command"):
            plan(platform)
    assert (platform.copy / "block.py").read_text() == "# a copy by hand\n"


def test_a_file_that_is_not_ours_is_left_alone(platform: Platform) -> None:
    platform.shim.write_text("# somebody's\n")

    for plan in (plan_install, plan_upgrade, plan_uninstall):
        with pytest.raises(RefusedError, match="was not written by this command"):
            plan(platform)
    assert platform.shim.read_text() == "# somebody's\n"


@pytest.mark.parametrize("place", ["copy", "shim"])
def test_links_in_our_place_are_not_followed(platform: Platform, tmp_path: Path, place: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / STAMP_NAME).write_text(json.dumps({"version": "1", "files": {}}))
    target = platform.copy if place == "copy" else platform.shim
    target.symlink_to(outside if place == "copy" else outside / STAMP_NAME)

    for plan in (plan_install, plan_upgrade, plan_uninstall):
        with pytest.raises(RefusedError):
            plan(platform)
    assert sorted(outside.iterdir()) == [outside / STAMP_NAME]


@pytest.mark.parametrize(
    "stamp",
    [
        '{"version": "1", "files": {"../greet.py": "0"}}',
        '{"version": "1", "files": {"/etc/passwd": "0"}}',
        '{"version": "1", "files": {"C:\\\\x": "0"}}',
        '{"version": "1"}',
        "not JSON",
    ],
)
def test_a_stamp_that_cannot_be_right_is_refused(platform: Platform, stamp: str) -> None:
    platform.copy.mkdir()
    (platform.copy / STAMP_NAME).write_text(stamp)

    with pytest.raises(RefusedError, match="cannot be relied on"):
        plan_uninstall(platform)
    assert (platform.blocks / "greet.py").exists()


def test_a_stamp_that_is_a_link_is_refused(platform: Platform, tmp_path: Path) -> None:
    platform.copy.mkdir()
    (tmp_path / "stamp").write_text('{"version": "1", "files": {}}')
    (platform.copy / STAMP_NAME).symlink_to(tmp_path / "stamp")

    with pytest.raises(RefusedError, match="it is a symlink"):
        plan_uninstall(platform)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_said_so(platform: Platform) -> None:
    platform.package.chmod(0o500)
    try:
        with pytest.raises(ChangeFailedError, match=r"cannot be changed: Permission denied\. Whatever was there"):
            perform(plan_install(platform))
    finally:
        platform.package.chmod(0o700)


def test_a_failure_on_the_way_leaves_the_old_state(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    perform(plan_install(platform))
    age(platform)
    before = tree(platform.project)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(install_module, "replace", full)
    with pytest.raises(ChangeFailedError, match="No space left on device"):
        perform(plan_upgrade(platform))

    assert tree(platform.project) == before
