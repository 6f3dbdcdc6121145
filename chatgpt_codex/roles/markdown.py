"""Writes Markdown for people: fences that their content cannot break out of, tables, lists."""

import re
from collections.abc import Iterable, Sequence

_BACKTICKS = re.compile(r"`+")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)")


def fenced(text: str, info: str = "") -> str:
    """`text` in a code fence longer than any run of backticks in it, so that nothing inside can close it.

    Args:
        text: any text.
        info: the language for the opening fence; whatever else stands in it is left out.
    """
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{re.sub(r'[^A-Za-z0-9+#._-]', '', info)}\n{text.removesuffix(chr(10))}\n{fence}"


def code(text: str) -> str:
    """`text` letter by letter, on one line: the `__init__` in a path would be bold otherwise."""
    content = one_line(text)
    longest = max((len(run) for run in _BACKTICKS.findall(content)), default=0)
    mark = "`" * (longest + 1)
    space = " " if content.startswith("`") or content.endswith("`") else ""
    return f"{mark}{space}{content}{space}{mark}" if content else ""


def prose(text: str) -> str:
    """Markdown that somebody else wrote, with its last fence closed, so that what we write below it is not in it."""
    text = text.strip()
    opened = ""
    for line in text.splitlines():
        if (match := _FENCE.fullmatch(line)) is None:
            continue
        fence, rest = match.groups()
        if not opened:
            opened = fence
        elif fence.startswith(opened) and not rest.strip():
            opened = ""
    return f"{text}\n{opened}" if opened else text


def section(title: str, body: str) -> str:
    """A heading with what belongs to it, or nothing if nothing does."""
    return f"## {title}\n\n{body}" if body else ""


def document(title: str, *parts: str) -> str:
    """A whole document of the parts that are not empty."""
    return "\n\n".join([f"# {title}", *(part for part in parts if part)]) + "\n"


def bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {one_line(item)}" for item in items)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table, or nothing if it has no rows."""
    lines = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(header)} |", f"|{'---|' * len(header)}", *lines]) if lines else ""


def one_line(text: str) -> str:
    return " ".join(text.split())


def _cell(value: object) -> str:
    return one_line("" if value is None else str(value)).replace("\\", "\\\\").replace("|", "\\|")
