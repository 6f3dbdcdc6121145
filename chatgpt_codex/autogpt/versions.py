"""Version numbers and ranges, as far as lock files and requirements of this kind need them."""

import re

Version = tuple[int, ...]


def version_of(text: str) -> Version:
    """The numbers at the start of a version: `1.97.1rc2` is (1, 97, 1)."""
    found = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in found.group().split(".")) if found else (0,)


def bound_of(specifier: str, operator: str) -> Version | None:
    """The version after `>=` or `<` in something like `>=3.10,<3.14`; None if there is no such bound."""
    found = re.search(rf"(?<![<>=!~]){operator}\s*(\d+(?:\.\d+)*)", specifier)
    return version_of(found.group(1)) if found else None


def spoken_version(version: Version) -> str:
    return ".".join(str(part) for part in version)
