r"""A string for a regular expression of the simple kind JSON schemas use.

Understood: literals, ``.``, classes, ``\d \w \s`` and their opposites, groups, alternatives, anchors, quantifiers.
Not understood: lookaround, backreferences, flags.
"""

import re
import string

_LETTERS_FIRST = string.ascii_lowercase + string.ascii_uppercase + string.digits + "_-. !\"#$%&'()*+,/:;<=>?@[\\]^`{|}~"
_SHORTHANDS = {"d": string.digits, "w": string.ascii_letters + string.digits + "_", "s": " \t\n"}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_MAX_EXTRA_REPEATS = 64


class PatternError(ValueError):
    """No string could be made up for the pattern."""


def sample_pattern(pattern: str, *, min_length: int = 0, max_length: int | None = None) -> str:
    """A string in which `pattern` is found, of a length between the bounds.

    Raises:
        PatternError: The pattern is beyond this module, or nothing within the bounds fits.
    """
    found = re.compile(pattern)
    for extra in range(_MAX_EXTRA_REPEATS):
        sample = _Reader(pattern, extra).read()
        for candidate in (sample, sample.ljust(min_length, "x")):
            fits = len(candidate) >= min_length and (max_length is None or len(candidate) <= max_length)
            if fits and found.search(candidate):
                return candidate
    raise PatternError(f"no string was found for the pattern {pattern!r}")


class _Reader:
    """Reads a pattern once and writes a sample as it goes.

    Args:
        pattern: The pattern.
        extra: How often an open-ended quantifier repeats beyond its minimum.
    """

    def __init__(self, pattern: str, extra: int) -> None:
        self._pattern = pattern
        self._extra = extra
        self._position = 0

    def read(self) -> str:
        sample = self._alternatives()
        if self._position < len(self._pattern):
            raise self._beyond()
        return sample

    def _alternatives(self) -> str:
        samples = [self._sequence()]
        while self._take("|"):
            samples.append(self._sequence())
        return samples[0]

    def _sequence(self) -> str:
        sample = ""
        while self._position < len(self._pattern) and self._pattern[self._position] not in "|)":
            atom = self._atom()
            sample += atom * self._repeats()
        return sample

    def _atom(self) -> str:
        character = self._next()
        match character:
            case "^" | "$":
                return ""
            case ".":
                return "a"
            case "(":
                return self._group()
            case "[":
                return self._class()
            case "\\":
                return self._escape()[0:1]
            case "*" | "+" | "?":
                raise self._beyond()
        return character

    def _group(self) -> str:
        if self._take("?"):
            if self._take("P<") or (self._take("<") and self._peek() not in "=!"):
                self._position = self._pattern.index(">", self._position) + 1
            elif not self._take(":"):
                raise self._beyond()
        sample = self._alternatives()
        if not self._take(")"):
            raise self._beyond()
        return sample

    def _class(self) -> str:
        negated = self._take("^")
        members = ""
        while not (members and self._peek() == "]"):
            first = self._member()
            if (
                len(first) == 1
                and self._peek() == "-"
                and self._pattern[self._position + 1 : self._position + 2] != "]"
            ):
                self._position += 1
                last = self._member()
                first = "".join(map(chr, range(ord(first), ord(last[0]) + 1)))
            members += first
        self._position += 1
        if not negated:
            return members[0]
        return next((character for character in _LETTERS_FIRST if character not in members), "\N{SNOWMAN}")

    def _member(self) -> str:
        character = self._next()
        return self._escape() if character == "\\" else character

    def _escape(self) -> str:
        character = self._next()
        if character in "bBAZz":
            return ""
        if character in _SHORTHANDS:
            return _SHORTHANDS[character]
        if character.lower() in _SHORTHANDS:
            return "".join(other for other in _LETTERS_FIRST if other not in _SHORTHANDS[character.lower()])
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character in "xu":
            digits = 2 if character == "x" else 4
            code = self._pattern[self._position : self._position + digits]
            self._position += digits
            return chr(int(code, 16))
        if character.isalnum():
            raise self._beyond()
        return character

    def _repeats(self) -> int:
        quantifier = self._peek()
        low, high = 1, 1
        if quantifier and quantifier in "*+?":
            self._position += 1
            low, high = {"*": (0, _MAX_EXTRA_REPEATS), "+": (1, _MAX_EXTRA_REPEATS), "?": (0, 1)}[quantifier]
        elif braces := re.compile(r"\{(\d+)(,?)(\d*)\}").match(self._pattern, self._position):
            self._position = braces.end()
            low = int(braces[1])
            high = low if not braces[2] else int(braces[3] or low + _MAX_EXTRA_REPEATS)
        else:
            return 1
        self._take("?")
        return min(low + self._extra, high)

    def _next(self) -> str:
        if self._position >= len(self._pattern):
            raise self._beyond()
        self._position += 1
        return self._pattern[self._position - 1]

    def _peek(self) -> str:
        return self._pattern[self._position : self._position + 1]

    def _take(self, text: str) -> bool:
        if not self._pattern.startswith(text, self._position):
            return False
        self._position += len(text)
        return True

    def _beyond(self) -> PatternError:
        return PatternError(f"the pattern {self._pattern!r} is beyond the simulator at position {self._position}")
