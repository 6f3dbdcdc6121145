"""Which rule answers a request."""

from .prompt import Prompt
from .script import Rule, Script, When


class RuleBook:
    """A script's rules with the counters that `call` and `times` need."""

    def __init__(self, script: Script) -> None:
        self._rules = script.rules
        self._fits = [0] * len(script.rules)
        self._answered = [0] * len(script.rules)

    def find(self, prompt: Prompt) -> Rule | None:
        """The first rule that answers this request.

        Every rule counts every request that fits its conditions, also one an earlier rule answers: `call: 2` after a
        rule with `call: 1` and the same conditions means the second request.
        """
        found: Rule | None = None
        for index, rule in enumerate(self._rules):
            if not _fits(rule.when, prompt):
                continue
            self._fits[index] += 1
            if found is not None or rule.when.call not in (None, self._fits[index]):
                continue
            if rule.times is not None and self._answered[index] >= rule.times:
                continue
            self._answered[index] += 1
            found = rule
        return found

    def clear(self) -> None:
        """Count from the beginning again."""
        self._fits = [0] * len(self._rules)
        self._answered = [0] * len(self._rules)


def _fits(when: When, prompt: Prompt) -> bool:
    if when.model is not None and prompt.model not in when.model:
        return False
    if when.instructions is not None and not when.instructions.fits(prompt.instructions):
        return False
    if when.input is not None and not when.input.fits(prompt.input):
        return False
    if when.schema_name is not None and when.schema_name != prompt.schema_name:
        return False
    return when.tools is None or {tool.name for tool in prompt.tools}.issuperset(when.tools)
