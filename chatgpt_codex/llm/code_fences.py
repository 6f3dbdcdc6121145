"""Finds the fenced code blocks of a Markdown answer."""

import re
import textwrap
from dataclasses import dataclass

_OPENING = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)$")
_PATH_ATTRIBUTE = re.compile(
    r"""\b(?:path|file|filename|title)\s*[=:]\s*(?:"([^"]+)"|'([^']+)'|(\S+))""", re.IGNORECASE
)
_LOOKS_LIKE_A_PATH = re.compile(r"[\w.@+-]*(?:/[\w.@+-]+)+|[\w@+-]+\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBlock:
    """One fenced block."""

    language: str
    """In lower case as the fence names it; "" if it does not."""
    path: str
    """The file the block is meant for, if the fence names one; "" if not. Not checked: it is the model's word."""
    text: str
    """The code, with a line break at its end."""


def code_blocks_of(markdown: str) -> tuple[CodeBlock, ...]:
    """The fenced code blocks of `markdown`, in order.

    Follows CommonMark §4.5 (a fence closes with the same character, at least as long; one left open runs to the end),
    but lets a fence be indented at will, as models do within lists. Paths are read in the forms models use:
    `path=a.py`, `title="a.py"`, `python:a.py`, a bare `a.py`.
    """
    blocks = []
    opening: re.Match[str] | None = None
    body: list[str] = []
    for line in markdown.splitlines():
        if opening is None:
            opening = _OPENING.match(line)
            body = []
        elif _closes(line, opening["fence"]):
            blocks.append(_block(opening, body))
            opening = None
        else:
            body.append(line)
    if opening is not None and body:
        blocks.append(_block(opening, body))
    return tuple(blocks)


def _closes(line: str, fence: str) -> bool:
    mark = line.strip()
    return len(mark) >= len(fence) and set(mark) == {fence[0]}


def _block(opening: re.Match[str], body: list[str]) -> CodeBlock:
    language, path = _language_and_path(opening["info"].strip())
    text = "\n".join(body)
    if opening["indent"]:
        text = textwrap.dedent(text)
    return CodeBlock(language=language, path=path, text=f"{text}\n" if text else "")


def _language_and_path(info: str) -> tuple[str, str]:
    attribute = _PATH_ATTRIBUTE.search(info)
    path = next((group for group in attribute.groups() if group), "") if attribute else ""
    words = _PATH_ATTRIBUTE.sub("", info).replace("{", " ").replace("}", " ").split()
    first, rest = (words[0], words[1:]) if words else ("", [])
    language, colon, tail = first.partition(":")
    if colon and tail:
        path = path or tail
    elif not path and _LOOKS_LIKE_A_PATH.fullmatch(first):
        language, path = "", first
    if not path and rest and _LOOKS_LIKE_A_PATH.fullmatch(rest[0]):
        path = rest[0]
    return language.lower(), path
