"""Whether this machine's clock agrees with a server's."""

from .check import Check

_SKEW_TO_MENTION_SECONDS = 30.0
_SKEW_TO_CORRECT_SECONDS = 300.0


def check_clock(ahead_seconds: float, *, name: str = "Clock", whose: str = "the server's") -> Check:
    """What a clock that is so far ahead of `whose` means."""
    if abs(ahead_seconds) < _SKEW_TO_MENTION_SECONDS:
        return Check(name=name, detail=f"It agrees with {whose}.")
    return Check(
        name=name,
        state="problem" if abs(ahead_seconds) >= _SKEW_TO_CORRECT_SECONDS else "warning",
        detail=f"{abs(ahead_seconds):.0f} s {'ahead of' if ahead_seconds > 0 else 'behind'} {whose}.",
        fix="Switch on time synchronisation (timedatectl set-ntp true); sign-ins fail with a wrong clock.",
    )
