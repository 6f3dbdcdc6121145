"""What of a request goes to its model: settings that the model is known to refuse are held back, with a notice."""

from dataclasses import dataclass

from .profiles import profile_of, takes_effort, takes_sampling
from .requests import Effort, ReasoningSummary, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings to send, and a sentence for each that was held back."""

    effort: Effort | None
    summary: ReasoningSummary | None
    temperature: float | None
    top_p: float | None
    notices: tuple[str, ...]


def settings_of(request: Request) -> Settings:
    """The settings of `request` that its model takes, as its profile says.

    A model without a profile gets whatever was set, but for the summary: only models known to reason, or asked to,
    are asked for one, since others refuse the parameter.
    """
    profile = profile_of(request.model)
    notices: list[str] = []
    effort, temperature, top_p = request.effort, request.temperature, request.top_p
    if effort is not None and not takes_effort(profile, effort):
        offered = f"it takes {', '.join(profile.efforts)}" if profile.efforts else "it does not reason"
        notices.append(f"Reasoning effort {effort!r} was not sent to {request.model}: {offered}.")
        effort = None
    if not takes_sampling(profile, effort):
        why = "it never takes one" if profile.sampling == "never" else "it takes one only with reasoning effort 'none'"
        notices.extend(
            f"{name} {value:g} was not sent to {request.model}: {why}."
            for name, value in (("temperature", temperature), ("top_p", top_p))
            if value is not None
        )
        temperature = top_p = None
    return Settings(
        effort=effort,
        summary=request.summary if profile.efforts or effort is not None else None,
        temperature=temperature,
        top_p=top_p,
        notices=tuple(notices),
    )
