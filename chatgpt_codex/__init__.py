"""ChatGPT and Codex for AutoGPT: blocks, role chains, and what runs them without the platform."""

from ._version import __version__

__all__ = ["__version__"]
