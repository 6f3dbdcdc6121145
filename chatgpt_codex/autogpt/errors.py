"""What can go wrong with an AutoGPT platform on disk.

    AutoGPTError
    ├── PlatformNotFoundError   the path leads to no blocks folder
    ├── RefusedError            doing it would harm files that are not ours
    ├── ChangeFailedError       the file system said no; nothing has changed
    └── TrialError              the platform's Python could not be asked

The command line shows each as one paragraph.
"""


class AutoGPTError(Exception):
    """`str()` says what happened, why, and what to do next."""


class PlatformNotFoundError(AutoGPTError):
    """The path leads to no blocks folder of an AutoGPT platform."""


class RefusedError(AutoGPTError):
    """Doing it would overwrite, mix or remove files that are not ours."""


class ChangeFailedError(AutoGPTError):
    """The file system said no. The state from before is still there."""


class TrialError(AutoGPTError):
    """The platform's Python could not be started, took too long or died."""
