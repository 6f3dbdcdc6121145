"""Files that a run writes: all of them in their folder, none over another, none half."""

from pathlib import Path

import pytest

from chatgpt_codex.cli.output_files import OutputFile, OutputFilesError, files_made, write_files
from chatgpt_codex.runner.result import ExecutionRef, NodeExecution


def developer(number: int, files: object, *, node: str = "dev", block: str = "DeveloperBlock") -> NodeExecution:
    return NodeExecution(
        execution=ExecutionRef(
            id=f"{node}:{number}", node_id=node, node_name=node, block_id="b", block_name=block, number=number
        ),
        status="completed",
        inputs={},
        outputs=[("response", "text"), ("files", files), ("tests", [{"path": "tests/t.py", "content": "t\n"}])],
        seconds=0,
        stats={},
    )


def test_the_last_revision_counts() -> None:
    runs = [
        developer(1, [{"path": "a.py", "content": "old"}, {"path": "gone.py", "content": ""}]),
        developer(2, [{"path": "a.py", "content": "new"}]),
        developer(1, [{"path": "b.py", "content": "not a developer's"}], node="x", block="ReviewerBlock"),
    ]
    assert files_made(runs) == (OutputFile("a.py", "new"), OutputFile("tests/t.py", "t\n"))


@pytest.mark.parametrize(
    "path", ["../a.py", "/etc/passwd", "a/../../b", "C:\\a", "a\x00b", "", ".git/hooks/x", "tests/"]
)
def test_a_path_that_leaves_the_folder_is_refused(path: str) -> None:
    with pytest.raises(OutputFilesError, match="file path"):
        files_made([developer(1, [{"path": path, "content": "x"}])])


def test_two_developers_may_not_write_one_file() -> None:
    with pytest.raises(OutputFilesError, match="twice"):
        files_made([developer(1, [], node="one"), developer(1, [], node="two")])


def test_folders_are_made_and_text_is_kept_byte_for_byte(tmp_path: Path) -> None:
    write_files([OutputFile("src/deep/a.txt", "café\r\nend")], tmp_path / "new" / "work", overwrite=False)
    assert (tmp_path / "new/work/src/deep/a.txt").read_bytes() == "café\r\nend".encode()
    assert [path.name for path in (tmp_path / "new/work/src/deep").iterdir()] == ["a.txt"]


def test_nothing_is_written_when_one_file_exists(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text("mine")
    with pytest.raises(OutputFilesError, match=r"'b\.py' exists in .* already\. Add --overwrite"):
        write_files([OutputFile("a.py", "a"), OutputFile("b.py", "b")], tmp_path, overwrite=False)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == ["b.py"]
    assert (tmp_path / "b.py").read_text() == "mine"


@pytest.mark.parametrize("link", ["out", "out/a.py"])
def test_a_link_in_the_folder_leads_nothing_out_of_it(link: str, tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "work"
    outside.mkdir()
    (outside / "a.py").write_text("mine")
    place = folder / link
    place.parent.mkdir(parents=True)
    place.symlink_to(outside / "a.py" if link.endswith(".py") else outside)
    with pytest.raises(OutputFilesError, match="is behind a link"):
        write_files([OutputFile("out/a.py", "theirs")], folder, overwrite=True)
    assert (outside / "a.py").read_text() == "mine"


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFilesError, match=r"cannot be written: .*\. Choose another --output-dir\."):
        write_files([OutputFile("a.py", "a")], tmp_path / "file" / "sub", overwrite=False)
