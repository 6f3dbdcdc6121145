"""Pictures of graphs: as SVG, as Mermaid, as a tree for the terminal. Text in, text out; nothing runs.

| Module | Owns |
|---|---|
| `svg`, `mermaid`, `tree` | one format each |
| `sketch` | what a picture shows of a graph, whatever its format |
| `flow` | the order in which a graph is read, and the links that lead back |
| `layout` | where the cards of an SVG stand |
| `routing` | which way its links take |
| `colours` | the builder's colours |
| `labels`, `text_metrics` | text of any origin: cleaned, shortened, measured |
"""

from .mermaid import draw_mermaid
from .svg import draw_svg
from .tree import Paint, Role, draw_tree

__all__ = ["Paint", "Role", "draw_mermaid", "draw_svg", "draw_tree"]
