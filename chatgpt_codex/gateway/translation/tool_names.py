"""The tools of a Responses request under the names that Chat Completions knows them by.

Chat Completions has no namespaces, and servers of open models know functions only. So a tool of a namespace is called
`namespace__name`, and a custom tool becomes a function with one text argument, `input`. What the model calls gets its
own name and kind back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from ...llm.payload import JsonObject, objects_at, text_at


@dataclass(frozen=True, slots=True)
class ToolNames:
    """What stands behind each name."""

    _custom: frozenset[str] = frozenset()
    _namespaced: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Namespace and name, by the name in Chat Completions."""

    @classmethod
    def of(cls, request: JsonObject) -> Self:
        """The names of the tools that `request`, one of the Responses API, offers."""
        custom: set[str] = set()
        namespaced: dict[str, tuple[str, str]] = {}
        for tool in offered_tools(request):
            if tool.get("type") == "custom":
                custom.add(text_at(tool, "name"))
            elif tool.get("type") == "namespace":
                namespace = text_at(tool, "name")
                for inner in objects_at(tool, "tools"):
                    flat = flat_name(text_at(inner, "name"), namespace)
                    namespaced[flat] = namespace, text_at(inner, "name")
                    if inner.get("type") == "custom":
                        custom.add(flat)
        return cls(frozenset(custom), namespaced)

    def is_custom(self, name: str) -> bool:
        """Whether the function of this name stands for a custom tool."""
        return name in self._custom

    def original(self, name: str) -> JsonObject:
        """`name`, and `namespace` if there is one, as the client knows the tool."""
        if name not in self._namespaced:
            return {"name": name}
        namespace, own = self._namespaced[name]
        return {"name": own, "namespace": namespace}


def offered_tools(request: JsonObject) -> tuple[JsonObject, ...]:
    """The tools of a Responses request, those that came in the course of its conversation included."""
    added = [item for item in objects_at(request, "input") if item.get("type") == "additional_tools"]
    return (*objects_at(request, "tools"), *(tool for item in added for tool in objects_at(item, "tools")))


def flat_name(name: str, namespace: str) -> str:
    """What a tool is called in Chat Completions."""
    return f"{namespace}__{name}" if namespace else name
