"""Which file paths a model may name: relative ones that stay in the project's folder, on any operating system."""

import unicodedata
from collections.abc import Iterable

MAX_PATH_LENGTH = 240
"""In characters; what Windows leaves of its 260 after a short folder."""

_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
)


class PathError(ValueError):
    """A path that must not be written. The message names it and what is wrong with it."""


def normalise_path(path: str) -> str:
    """`path` in its one form: parts joined by single slashes, no `.` parts, Unicode composed (NFC).

    Raises:
        PathError: it is empty, absolute, too long or names a folder; leaves the project's folder; has a backslash,
            a drive, or invisible characters; reaches into `.git`, where files are run as hooks; or no Windows system
            could hold it.
    """
    if problem := _problem_of(path):
        raise PathError(
            f"The file path {_shown(path)} {problem}. "
            "Use a path within the project's folder, with forward slashes, such as src/app.py."
        )
    return _composed(path)


def path_key(path: str) -> str:
    """What two paths share if some file system takes them for the same file: case and spelling aside."""
    return _composed(path).casefold()


def check_distinct(paths: Iterable[str]) -> None:
    """Checks that normalised paths can stand side by side.

    Raises:
        PathError: two are the same file for some file system, or one is the folder of another.
    """
    seen: dict[str, str] = {}
    for path in paths:
        key = path_key(path)
        if twin := seen.get(key):
            same = "twice" if twin == path else f"and {_shown(twin)}, which is the same file where case does not count"
            raise PathError(f"The work names the file {_shown(path)} {same}. Name each file once.")
        seen[key] = path
    for key, path in seen.items():
        parts = key.split("/")
        for depth in range(1, len(parts)):
            if file := seen.get("/".join(parts[:depth])):
                raise PathError(
                    f"The work has both a file {_shown(file)} and {_shown(path)}, for which it would have to be a "
                    "folder. Rename one of them."
                )


def _composed(path: str) -> str:
    return unicodedata.normalize("NFC", "/".join(part for part in path.split("/") if part not in ("", ".")))


def _problem_of(path: str) -> str | None:
    parts = _composed(path).split("/")
    rules: tuple[tuple[str, bool], ...] = (
        ("is empty", not path.strip()),
        (f"is longer than {MAX_PATH_LENGTH} characters", len(path) > MAX_PATH_LENGTH),
        ("is absolute", path.startswith("/")),
        ("has a backslash", "\\" in path),
        ("has a colon, as drives do", ":" in path),
        ("has invisible characters", any(_is_invisible(character) for character in path)),
        ("has characters that Windows refuses", any(character in '<>"|?*' for character in path)),
        ("leaves the project's folder", ".." in parts),
        ("names a folder", path.endswith(("/", "/.")) or parts == [""]),
        ("reaches into .git", any(part.casefold().rstrip(" .") in (".git", "git~1") for part in parts)),
        ("has a part that ends with a dot or begins or ends with a space", any(_is_trimmed(part) for part in parts)),
        ("has the name of a device", any(part.split(".")[0].casefold() in _DEVICES for part in parts)),
    )
    return next((problem for problem, broken in rules if broken), None)


def _is_invisible(character: str) -> bool:
    """Whether it hides what a path really is: control, format, unassigned, line separator, any space but the plain."""
    return character != " " and unicodedata.category(character)[0] in "CZ"


def _is_trimmed(part: str) -> bool:
    """Whether Windows would store the part under another name."""
    return part != ".." and part != part.strip(" ").rstrip(".")


def _shown(path: str) -> str:
    return ascii(path if len(path) <= 80 else f"{path[:77]}...")
