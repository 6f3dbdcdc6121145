"""The modules of a blocks folder, read without importing them: what each one's names stand for."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_STAR = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One module's source."""

    path: Path
    """Where a person finds it."""
    name: str
    """Its dotted name when the server runs, such as `backend.blocks.basic`."""
    tree: ast.Module
    is_package: bool
    is_ours: bool
    names: Mapping[str, str] = field(repr=False)
    """What module-level names stand for, as dotted names; a star import's module under `*`."""

    @property
    def has_future_annotations(self) -> bool:
        """Whether its annotations are texts at run time."""
        return any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and any(alias.name == "annotations" for alias in node.names)
            for node in self.tree.body
        )


def parse_module(path: Path, content: bytes, name: str, *, is_package: bool, is_ours: bool) -> Module:
    """Reads one module.

    Raises:
        SyntaxError: it is not Python.
        ValueError: it holds null bytes.
    """
    tree = ast.parse(content, filename=str(path))
    return Module(
        path=path,
        name=name,
        tree=tree,
        is_package=is_package,
        is_ours=is_ours,
        names=_names_in(tree, name, is_package=is_package),
    )


def statements_of(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported, those inside `if`, `try` and `with` too.

    What only a type checker reads is left out. Of alternatives, the ones that are tried first come first.
    """
    for statement in body:
        yield statement
        if isinstance(statement, ast.If):
            if not (isinstance(statement.test, ast.Name) and statement.test.id == "TYPE_CHECKING"):
                yield from statements_of(statement.body)
            yield from statements_of(statement.orelse)
        elif isinstance(statement, ast.Try):
            yield from statements_of(statement.body)
            yield from statements_of(statement.orelse)
            for handler in statement.handlers:
                yield from statements_of(handler.body)
            yield from statements_of(statement.finalbody)
        elif isinstance(statement, ast.With):
            yield from statements_of(statement.body)


def _names_in(tree: ast.Module, module: str, *, is_package: bool) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in statements_of(tree.body):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.setdefault(node.name, f"{module}.{node.name}")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                # `import a.b` binds a; `import a.b as c` binds c to a.b.
                names.setdefault(alias.asname or alias.name.partition(".")[0], _bound_by_import(alias))
        elif isinstance(node, ast.ImportFrom):
            origin = _origin_of(node, module, is_package=is_package)
            for alias in node.names:
                dotted = origin if alias.name == _STAR else f"{origin}.{alias.name}"
                names.setdefault(alias.asname or alias.name, dotted)
        elif (
            isinstance(node, ast.Assign)
            and len(node.targets) == 1
            and isinstance(node.targets[0], ast.Name)
            and (dotted := dotted_of(node.value, names))
        ):
            names.setdefault(node.targets[0].id, dotted)
    return names


def _bound_by_import(alias: ast.alias) -> str:
    return alias.name if alias.asname else alias.name.partition(".")[0]


def _origin_of(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    if node.level == 0:
        return node.module or ""
    parts = module.split(".")
    up = node.level - 1 if is_package else node.level
    return ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])


def dotted_of(node: ast.expr, names: Mapping[str, str]) -> str:
    """What a name such as `Block` or `sdk.Block` stands for; "" if it is no such name, or nothing is known."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    # `Base[int]` is Base.
    if isinstance(node, ast.Subscript):
        return dotted_of(node.value, names)
    if not isinstance(node, ast.Name):
        return ""
    known = names.get(node.id)
    if known is None:
        star = names.get(_STAR)
        known = f"{star}.{node.id}" if star else ""
    return ".".join([known, *reversed(attributes)]) if known else ""


class Modules:
    """Modules by their names, and what a dotted name finally stands for."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self._modules = modules

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def get(self, name: str) -> Module | None:
        return self._modules.get(name)

    def class_named(self, dotted: str) -> "tuple[Module, ast.ClassDef] | None":
        """The class that a dotted name means, nested ones such as `…GreetBlock.Input` too; None if it is not here."""
        home, _, rest = dotted.rpartition(".")
        names = [rest]
        while home and home not in self._modules:
            home, _, rest = home.rpartition(".")
            names.insert(0, rest)
        module = self._modules.get(home)
        if module is None:
            return None
        body, found = module.tree.body, None
        for name in names:
            found = next(
                (node for node in statements_of(body) if isinstance(node, ast.ClassDef) and node.name == name), None
            )
            if found is None:
                return None
            body = found.body
        return None if found is None else (module, found)

    def origin_of(self, dotted: str) -> str:
        """Follows re-exports: `backend.blocks.foo.X` becomes the place where X is defined, as far as it is known."""
        seen: set[str] = set()
        while dotted not in seen:
            seen.add(dotted)
            home, _, name = dotted.rpartition(".")
            module = self._modules.get(home)
            if module is None:
                break
            dotted = dotted_of(ast.Name(id=name), module.names) or dotted
        return dotted
