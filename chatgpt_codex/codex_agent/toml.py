"""Values as Codex's settings are written."""

import json


def toml_text(text: str) -> str:
    """A string as TOML writes it."""
    # JSON's escapes are TOML's, but for the surrogate pairs of its ASCII form.
    return json.dumps(text, ensure_ascii=False)
