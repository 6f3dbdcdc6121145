"""How wide text is when nobody knows the font: a cautious estimate, and what follows from it."""

import unicodedata
from typing import Final

_WIDTHS: Final = {
    **dict.fromkeys("iljI.,:;'|!", 0.31),
    **dict.fromkeys('ftr()[]{}/\\ -"', 0.39),
    **dict.fromkeys("mwMW@%", 0.94),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ&…→", 0.72),
}
"""In ems: between Arial, the narrowest usual font, and DejaVu Sans, the widest."""

_OTHER: Final = 0.6
_BOLD: Final = 1.08


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """The width of one line in pixels.

    Args:
        text: One line.
        size: The font size in pixels.
        bold: Whether it is set in bold.
    """
    return sum(map(_em, text)) * size * (_BOLD if bold else 1)


def _em(character: str) -> float:
    if character in _WIDTHS:
        return _WIDTHS[character]
    if unicodedata.combining(character):
        return 0
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else _OTHER


def fit(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """`text`, or as much of its beginning as is `width` pixels wide, with an ellipsis."""
    if text_width(text, size, bold=bold) <= width:
        return text
    room = width - text_width("…", size, bold=bold)
    used = 0.0
    for index, character in enumerate(text):
        used += text_width(character, size, bold=bold)
        if used > room:
            return text[:index].rstrip() + "…"
    return text


def wrap(text: str, width: float, size: float, max_lines: int) -> list[str]:
    """Breaks text into lines `width` pixels wide; what is beyond `max_lines` is cut, with an ellipsis."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        lines.extend(_wrap_paragraph(paragraph, width, size))
        if len(lines) > max_lines:
            return [*lines[: max_lines - 1], fit(lines[max_lines - 1] + " …", width, size)]
    return lines


def _wrap_paragraph(paragraph: str, width: float, size: float) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in paragraph.split():
        longer = f"{line} {word}" if line else word
        if text_width(longer, size) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = _chop(word, width, size)
        lines.extend(full)
    return [*lines, line]


def _chop(word: str, width: float, size: float) -> list[str]:
    """A word in pieces that fit: one piece, unless it is wider than the line."""
    pieces: list[str] = []
    piece, used = "", 0.0
    for character in word:
        wide = text_width(character, size)
        if piece and used + wide > width:
            pieces.append(piece)
            piece, used = "", 0.0
        piece += character
        used += wide
    return [*pieces, piece]
