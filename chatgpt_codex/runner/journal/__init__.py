"""Keeps runs in an SQLite file, so that they can be looked at, resumed after a crash, and repeated in part.

    run_journal     one run being kept: what the executor talks to
    opening         how a run begins: new, resumed, or repeated from a node
    lease           which process a run belongs to
    recall          what is finished and need not run again
    rerun           what a repetition runs anew
    history         the runs kept so far
    entries         what is written down
    run_writer      writes entries into the tables
    writer_thread   a thread that writes in batches, so that the event loop never waits for a disk
    stored_values   values as bytes, large ones only once
    database        the file: where it is, its tables, what can be wrong with it
    errors          why a run cannot be kept or found

Credentials never get here: the executor hands over references to them.
"""
