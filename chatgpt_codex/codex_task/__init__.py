"""CodexTaskBlock: has the local Codex agent do a task in a folder.

| module | owns |
|---|---|
| `block` | the pins, and what goes to which |
| `rules` | what the operator decides: whether tasks run here, in which folders, how freely |
| `work` | one task from its folders to its outcome |
| `folders`, `changes` | the folders of a run; which files it changed |
| `beneath` | folders below a workspace, reached without following a link |
| `confinement` | Codex's settings: whom it asks, what its commands may see and do |
| `agent` | the program and its SDK: started, watched, and ended whatever happens |
| `reading`, `failures` | what Codex says; why a task did not come to its end |
| `task` | the words for all of it |
"""

from .block import CodexTaskBlock

__all__ = ["CodexTaskBlock"]
