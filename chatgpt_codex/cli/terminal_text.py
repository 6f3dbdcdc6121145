"""Makes text from elsewhere safe to show on a terminal."""

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def without_control(text: str) -> str:
    """`text` without the characters that a terminal would obey; line breaks and tabs stay.

    What a model writes could otherwise move the cursor, recolour the screen or set the window's title.
    """
    return _CONTROL.sub("", text)
