"""Finds the fenced code blocks of a Markdown answer."""

import re
from dataclasses import dataclass

# Possessive, since a line of a hundred thousand tildes would otherwise be split at each of them in vain.
_OPENING = re.compile(r"^(?P<indent>[ \t]*+)(?P<fence>`{3,}+|~{3,}+)(?P<info>[^`]*)$")
_CLOSING = re.compile(r"(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*")
_PATH_ATTRIBUTE = re.compile(
    r"""\b(?:path|file|filename|title)\s*[=:]\s*(?:"([^"]+)"|'([^']+)'|([^\s{}]+))""", re.IGNORECASE
)
_LOOKS_LIKE_A_PATH = re.compile(r"[\w.@+-]*(?:/[\w.@+-]+)+|[\w.@+-]*\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBlock:
    """One fenced block."""

    language: str
    """In lower case as the fence names it; "" if it does not."""
    path: str
    """The file the block is meant for, if the fence names one; "" if not. Not checked: it is the model's word."""
    text: str
    """The code, with a line break at its end; "" for an empty block."""


def code_blocks_of(markdown: str) -> tuple[CodeBlock, ...]:
    """The fenced code blocks of `markdown`, in order.

    Follows CommonMark §4.5 (a fence closes with the same character, at least as long; one left open runs to the end),
    but lets a block be indented at will, as models do within lists. Paths are read in the forms models use:
    `path=a.py`, `title="a.py"`, `python:a.py`, a bare `a.py`.
    """
    blocks = []
    opening: re.Match[str] | None = None
    body: list[str] = []
    # Not splitlines(), which also splits at form feeds and the like: they are part of the code.
    for line in markdown.replace("\r\n", "\n").split("\n"):
        if opening is None:
            opening = _OPENING.match(line)
            body = []
        elif _closes(line, opening):
            blocks.append(_block(opening, body))
            opening = None
        else:
            body.append(line)
    if opening is not None and any(body):
        blocks.append(_block(opening, body))
    return tuple(blocks)


def _closes(line: str, opening: re.Match[str]) -> bool:
    closing = _CLOSING.fullmatch(line)
    if closing is None or not closing["fence"].startswith(opening["fence"]):
        return False
    # Further in, it belongs to the code: a docstring may hold Markdown.
    return len(closing["indent"]) < len(opening["indent"]) + 4


def _block(opening: re.Match[str], body: list[str]) -> CodeBlock:
    language, path = _language_and_path(opening["info"].strip())
    indent = len(opening["indent"])
    text = "".join(f"{_outdented(line, indent)}\n" for line in body)
    return CodeBlock(language=language, path=path, text=text)


def _outdented(line: str, indent: int) -> str:
    return line[:indent].lstrip(" \t") + line[indent:]


def _language_and_path(info: str) -> tuple[str, str]:
    attribute = _PATH_ATTRIBUTE.search(info)
    path = next((group for group in attribute.groups() if group), "") if attribute else ""
    words = re.sub(r"\{\s*\.?|\}", " ", _PATH_ATTRIBUTE.sub("", info)).split()
    first, rest = (words[0], words[1:]) if words else ("", [])
    language, colon, tail = first.partition(":")
    if colon and tail:
        path = path or tail
    elif not path and _LOOKS_LIKE_A_PATH.fullmatch(first):
        language, path = "", first
    if not path and rest and _LOOKS_LIKE_A_PATH.fullmatch(rest[0]):
        path = rest[0]
    return language.lower(), path
