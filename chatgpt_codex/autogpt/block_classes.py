"""The block classes in a set of modules, as the platform would meet them, read from their source."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .source import Module, Modules, dotted_of, statements_of

# `Block` has moved between versions of the platform.
_ROOTS = frozenset({"backend.sdk.Block", "backend.data.block.Block", "backend.blocks._base.Block"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockId:
    """What a class gives as its id."""

    text: str | None
    """None: it is not a literal."""
    line: int
    is_random: bool = False
    """It is made anew each time, by a call of uuid4()."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockClass:
    """A class that descends from the platform's Block."""

    name: str
    dotted: str
    module: Module
    node: ast.ClassDef
    parents: tuple[str, ...]
    """Dotted names of its bases that are block classes; the root is called "Block"."""
    init_call: ast.Call | None = field(repr=False)
    """Its own `super().__init__(…)`."""

    @property
    def is_abstract(self) -> bool:
        """Whether the loader passes it over."""
        return self.name.endswith("Base")


def block_classes_in(modules: Modules) -> Mapping[str, BlockClass]:
    """The block classes by their dotted names, in the order of the modules."""
    classes = {
        f"{module.name}.{node.name}": (module, node)
        for module in modules
        for node in statements_of(module.tree.body)
        if isinstance(node, ast.ClassDef)
    }
    parents: dict[str, tuple[str, ...]] = {}

    def parents_of(dotted: str) -> tuple[str, ...]:
        if dotted not in parents:
            parents[dotted] = ()  # ends a circle, which only broken source has
            module, node = classes[dotted]
            bases = (modules.origin_of(dotted_of(base, module.names)) for base in node.bases)
            parents[dotted] = tuple(
                "Block" if base in _ROOTS else base
                for base in bases
                if base in _ROOTS or (base in classes and base != dotted and parents_of(base))
            )
        return parents[dotted]

    return {
        dotted: BlockClass(
            name=node.name,
            dotted=dotted,
            module=module,
            node=node,
            parents=parents_of(dotted),
            init_call=_init_call_of(node),
        )
        for dotted, (module, node) in classes.items()
        if parents_of(dotted)
    }


def times_listed(classes: Mapping[str, BlockClass]) -> Mapping[str, int]:
    """How often the loader's walk over subclasses comes upon each class; twice is once too often."""
    children: dict[str, list[str]] = {}
    for block_class in classes.values():
        for parent in block_class.parents:
            children.setdefault(parent, []).append(block_class.dotted)

    def walk(dotted: str) -> list[str]:
        # The platform appends to the list that it walks over, so grandchildren are visited again as children.
        found = list(children.get(dotted, ()))
        for child in found:
            found += walk(child)
            if len(found) > _ENDLESS:
                break
        return found

    counts = dict.fromkeys(classes, 0)
    for dotted in walk("Block"):
        counts[dotted] += 1
    return counts


_ENDLESS = 100_000


def id_of(block_class: BlockClass) -> BlockId | None:
    """The id that the class's own constructor gives; None if it has none of its own."""
    call = block_class.init_call
    given = None if call is None else argument_of(call, "id")
    if given is None:
        return None
    random = any(_is_call_of(node, "uuid4") for node in ast.walk(given))
    return BlockId(text=_text_of(given, block_class), line=given.lineno, is_random=random)


def argument_of(call: ast.Call, name: str) -> ast.expr | None:
    """What a call gives for a keyword argument, also as `**{"name": …}`."""
    for word in call.keywords:
        if word.arg == name:
            return word.value
        if word.arg is None and isinstance(word.value, ast.Dict):
            for key, value in zip(word.value.keys, word.value.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == name:
                    return value
    return None


def _text_of(node: ast.expr, block_class: BlockClass) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        return next(_constants(block_class.module.tree.body, node.id), None)
    if isinstance(node, ast.Attribute):
        return next(_constants(block_class.node.body, node.attr), None)
    return None


def _constants(body: list[ast.stmt], name: str) -> Iterator[str]:
    for statement in statements_of(body):
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


def _is_call_of(node: ast.AST, name: str) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    return (isinstance(called, ast.Name) and called.id == name) or (
        isinstance(called, ast.Attribute) and called.attr == name
    )


def _init_call_of(node: ast.ClassDef) -> ast.Call | None:
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            for inner in ast.walk(statement):
                if (
                    isinstance(inner, ast.Call)
                    and isinstance(inner.func, ast.Attribute)
                    and inner.func.attr == "__init__"
                ):
                    return inner
    return None
