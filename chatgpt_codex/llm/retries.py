"""When to send a failed request again, and after how long."""

import random
from dataclasses import dataclass

from .errors import ModelError


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential waits with jitter; a server's Retry-After is obeyed up to a cap.

    It is the only retry policy there is: the SDK's own is switched off, since it ignores a Retry-After above 60 s
    (1.x) and counts nothing.
    """

    max_retries: int = 2
    first_delay_seconds: float = 0.5
    max_delay_seconds: float = 8.0
    max_retry_after_seconds: float = 120.0
    """A server that asks for a longer wait is not waited for: the error says how long it asked for."""

    def delay(self, error: ModelError, failures: int) -> float | None:
        """Seconds to wait before the next attempt, or None when there should be none.

        Args:
            error: why the last attempt failed.
            failures: how many attempts have failed, the last one included.
        """
        if not error.retryable or failures > self.max_retries:
            return None
        if error.retry_after_seconds is not None:
            return error.retry_after_seconds if error.retry_after_seconds <= self.max_retry_after_seconds else None
        longest: float = min(self.max_delay_seconds, self.first_delay_seconds * 2 ** (failures - 1))
        # Jitter spreads out callers that failed together: https://aws.amazon.com/builders-library/timeouts-retries-
        # and-backoff-with-jitter/
        return longest * (0.5 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing
