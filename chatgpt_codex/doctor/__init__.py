"""Looks at this machine: what is there, what is missing, what to do.

| to find out | read |
|---|---|
| what a check says | `check` |
| Python and packages | `interpreter` |
| the key, the server it is for, the clock | `server` |
| the journal, the Codex binary, the ports | `machine` |
| all of it | `diagnosis` |
"""
