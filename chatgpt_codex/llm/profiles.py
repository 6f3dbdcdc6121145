"""What a model can do, looked up by its name; never an exception, whatever the name."""

import re
from dataclasses import replace
from datetime import date
from functools import lru_cache

from .catalogue import MODELS, ModelProfile
from .requests import Effort

_SNAPSHOT_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$|-\d{4}$")
_NEVER_SAMPLED = ("-pro", "-chat-latest")


# Bounded, since names come from users.
@lru_cache(maxsize=256)
def profile_of(model: str) -> ModelProfile:
    """What is known of `model`.

    A dated snapshot (`gpt-4o-2024-08-06`) has its model's profile. Of a `-pro` or `-chat-latest` variant only this is
    known: it takes no temperature. Any other name gets a profile in which nothing is known, so that nothing is held
    back and the server decides.
    """
    undated = _SNAPSHOT_DATE.sub("", model)
    for name in (model, undated):
        for profile in MODELS:
            if profile.name == name:
                return replace(profile, name=model)
    for suffix in _NEVER_SAMPLED:
        if undated.endswith(suffix):
            return ModelProfile(name=model, sampling="never")
    return ModelProfile(name=model)


def takes_effort(profile: ModelProfile, effort: Effort) -> bool:
    """Whether the model takes this reasoning effort, as far as is known."""
    return profile.efforts is None or effort in profile.efforts


def takes_sampling(profile: ModelProfile, effort: Effort | None) -> bool:
    """Whether the model takes temperature and top_p at this effort (None: none given), as far as is known."""
    if profile.sampling == "without_reasoning":
        return (effort or profile.default_effort) == "none"
    return profile.sampling != "never"


def is_shut_down(profile: ModelProfile, today: date) -> bool:
    """Whether OpenAI no longer serves the model on that day, as far as is known."""
    return profile.retired or (profile.shutdown is not None and today >= profile.shutdown)
