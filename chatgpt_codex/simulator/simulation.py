"""The state of one simulator: its script, clock, counters, memory and record."""

import asyncio
import itertools
from collections.abc import Callable

from .chatgpt_errors import UsageLimitError
from .errors import ApiError
from .matching import RuleBook
from .prompt import Prompt
from .recording import Recorder
from .script import Script, ScriptedAnswer
from .store import ResponseStore

_DEFAULT = ScriptedAnswer()


class Simulation:
    """Everything the handlers share.

    Args:
        script: The rules.
        clock: Seconds since 1970, for `created_at` and its like.
        recorder: Where requests are recorded.
    """

    def __init__(self, *, script: Script, clock: Callable[[], float], recorder: Recorder) -> None:
        self.script = script
        self.recorder = recorder
        self.store = ResponseStore()
        self.is_stopping = False
        self._clock = clock
        self._rules = RuleBook(script)
        self._numbers = itertools.count(1)
        self._request_numbers = itertools.count(1)

    def now(self) -> int:
        return int(self._clock())

    def next_suffix(self) -> str:
        """What makes an id unique: the same for the same order of requests."""
        return f"sim{next(self._numbers):06d}"

    def next_request_number(self) -> int:
        return next(self._request_numbers)

    def choose_answer(self, prompt: Prompt) -> ScriptedAnswer:
        """What the script answers.

        Raises:
            ApiError: 500, no rule fits and the script wants that to be an error; 429, the plan is used up.
        """
        rule = self._rules.find(prompt)
        if rule is not None and rule.answer.usage_limit is not None:
            raise UsageLimitError(rule.answer.usage_limit, self.script.chatgpt, self.now())
        if rule is not None:
            return rule.answer
        if self.script.on_unmatched == "error":
            raise ApiError(
                f"No rule of the simulator's script fits this request to {prompt.model}. "
                "Add a rule, or set on_unmatched: default.",
                status=500,
                type="simulator_error",
                code="no_rule",
            )
        return _DEFAULT

    async def end_background(self) -> None:
        """Cancel background responses that are not over, and wait until they are."""
        tasks = self.store.tasks()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def clear(self) -> None:
        """Begin anew: memory, counters and record."""
        await self.end_background()
        self.store.clear()
        self._rules.clear()
        self._numbers = itertools.count(1)
        self._request_numbers = itertools.count(1)
        self.recorder.clear()
