"""Why a run cannot be kept, found or resumed, one class a reason.

JournalError
├── JournalFileError    the file cannot be used; no node has run
├── JournalWriteError   a run can no longer be kept, so it stops
├── RunNotFoundError    no run, or more than one, has this id
├── RunBusyError        another process runs it
└── RunStateError       the run cannot be resumed or repeated as asked
"""


class JournalError(Exception):
    """Something about the journal; the message says what to do."""


class JournalFileError(JournalError):
    """The journal's file cannot be opened, or is not a journal."""


class JournalWriteError(JournalError):
    """What happened can no longer be written down."""


class RunNotFoundError(JournalError):
    """An id names no run, or more than one."""


class RunBusyError(JournalError):
    """The run belongs to a process that is alive."""


class RunStateError(JournalError):
    """There is nothing to resume, or nothing to repeat from."""
