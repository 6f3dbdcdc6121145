import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatgpt_codex.roles.paths import MAX_PATH_LENGTH, PathError, check_distinct, normalise_path, path_key


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("app.py", "app.py"),
        ("src/app.py", "src/app.py"),
        ("./src//app.py", "src/app.py"),
        ("src/./app.py", "src/app.py"),
        (".github/workflows/ci.yml", ".github/workflows/ci.yml"),
        (".gitignore", ".gitignore"),
        ("docs/a file.md", "docs/a file.md"),
        ("Makefile", "Makefile"),
        ("a..b/c...py", "a..b/c...py"),
        ("console.py", "console.py"),
        ("src/cafe\u0301.py", "src/caf\u00e9.py"),
        ("~/notes.md", "~/notes.md"),
    ],
)
def test_path_within_the_project_is_taken(path: str, normal: str) -> None:
    assert normalise_path(path) == normal


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("/etc/passwd", "is absolute"),
        ("//server/share", "is absolute"),
        ("../secret.txt", "leaves the project's folder"),
        ("src/../../x", "leaves the project's folder"),
        ("src/..", "leaves the project's folder"),
        ("..", "leaves the project's folder"),
        ("src\\app.py", "has a backslash"),
        ("..\\app.py", "has a backslash"),
        ("C:/app.py", "has a colon"),
        ("C:app.py", "has a colon"),
        ("app.py:stream", "has a colon"),
        ("a\0b", "has invisible characters"),
        ("a\nb", "has invisible characters"),
        ("a\u202eyp.exe", "has invisible characters"),
        ("a\u200bb", "has invisible characters"),
        ("a\ud800b", "has invisible characters"),
        ("a\u2028b", "has invisible characters"),
        ("a\u00a0b", "has invisible characters"),
        ("what?.py", "has characters that Windows refuses"),
        ("a|b", "has characters that Windows refuses"),
        (".", "names a folder"),
        ("./", "names a folder"),
        ("src/", "names a folder"),
        ("src/.", "names a folder"),
        (".git/hooks/pre-commit", "reaches into .git"),
        ("sub/.GIT/config", "reaches into .git"),
        (".git./config", "reaches into .git"),
        ("GIT~1/config", "reaches into .git"),
        ("src/app.py.", "has a part that ends with a dot"),
        ("src /app.py", "has a part that ends with a dot or begins or ends with a space"),
        (" app.py", "has a part that ends with a dot or begins or ends with a space"),
        ("...", "has a part that ends with a dot"),
        ("con", "has the name of a device"),
        ("src/NUL.txt", "has the name of a device"),
        ("com1.py", "has the name of a device"),
        ("a" * (MAX_PATH_LENGTH + 1), "is longer than 240 characters"),
    ],
)
def test_path_that_must_not_be_written_is_refused(path: str, problem: str) -> None:
    with pytest.raises(PathError) as refusal:
        normalise_path(path)
    message = str(refusal.value)
    assert f" {problem}" in message
    assert message.endswith("with forward slashes, such as src/app.py.")
    assert message.isprintable()
    assert len(message) < 300


@settings(deadline=None)
@given(st.text(max_size=30) | st.lists(st.sampled_from(["a", "B", "..", ".", "", ".git", "c:", "\\"])).map("/".join))
def test_accepted_path_stays_in_the_folder_and_is_its_own_normal_form(path: str) -> None:
    try:
        normal = normalise_path(path)
    except PathError:
        return
    parts = normal.split("/")
    assert all(part not in ("", ".", "..") for part in parts)
    assert not normal.startswith("/")
    assert unicodedata.is_normalized("NFC", normal)
    assert normalise_path(normal) == normal
    assert path_key(path) == path_key(normal)


@pytest.mark.parametrize(
    ("paths", "problem"),
    [
        (["a.py", "a.py"], "names the file 'a.py' twice"),
        (["a.py", "A.py"], "names the file 'A.py' and 'a.py', which is the same file where case does not count"),
        (["src", "src/a.py"], "both a file 'src' and 'src/a.py'"),
        (["Src/x/a.py", "src/X"], "both a file 'src/X' and 'Src/x/a.py'"),
    ],
)
def test_paths_that_cannot_stand_side_by_side_are_refused(paths: list[str], problem: str) -> None:
    with pytest.raises(PathError, match="The work") as refusal:
        check_distinct(paths)
    assert problem in str(refusal.value)


def test_distinct_paths_are_taken() -> None:
    check_distinct(["a.py", "b.py", "src/a.py", "src2", "srcs/a.py"])
