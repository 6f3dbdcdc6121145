"""Rules for files: what the platform imports when it starts, and what it passes over without a word."""

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .finding import Finding
from .layout import FOLDER_NAME
from .source import Module, Modules, statements_of

_LOADABLE = re.compile(r"[a-z0-9_]+")
# What the platform's lock file calls the packages whose modules have another name.
_DISTRIBUTIONS = {"yaml": "pyyaml", "jwt": "pyjwt", "dotenv": "python-dotenv", "websockets": "websockets"}


def python_files(blocks: Path) -> Iterator[PurePosixPath]:
    """The modules below the blocks folder that the server would import, by their paths; packages' own files too."""
    for folder, names, files in os.walk(blocks):
        names.sort()
        # A server that has run leaves only byte code in there.
        names[:] = [name for name in names if name != "__pycache__"]
        for file in sorted(files):
            # A link that leads nowhere is no file to the server.
            if file.endswith(".py") and not file.startswith("test_") and (Path(folder) / file).is_file():
                path = PurePosixPath((Path(folder) / file).relative_to(blocks).as_posix())
                # Examples are loaded only where a setting asks for them.
                if path.parts[0] != "examples":
                    yield path


def check_names(blocks: Path) -> Iterator[Finding]:
    """Module names that stop the server."""
    for path in python_files(blocks):
        if path.name == "__init__.py":
            continue
        wrong = next((part for part in (*path.parent.parts, path.stem) if not _LOADABLE.fullmatch(part)), None)
        if wrong is None:
            continue
        if wrong.startswith("."):
            what = f"The server imports hidden files too, and stops at {path}: no module can be called {wrong!r}."
            fix = f"Move {wrong} out of the blocks folder."
        else:
            what = (
                f"The server stops at {path}: {wrong!r} holds other characters than lower-case letters, digits and "
                "underscores."
            )
            fix = "Rename it, or move it out of the blocks folder."
        yield Finding(rule="module-name", what=what, path=blocks / path, fix=fix)


def check_links(blocks: Path) -> Iterator[Finding]:
    """Symlinked packages, which the server does not see."""
    for folder, names, _ in os.walk(blocks):
        for name in sorted(names):
            link = Path(folder) / name
            if link.is_symlink() and any(link.rglob("*.py")):
                yield Finding(
                    rule="symlinked-package",
                    what=f"{name} is a symlink, and the server does not look into symlinked folders: its blocks are "
                    "missing without a word.",
                    path=link,
                    fix="Remove the link and put a real folder there. For ours: chatgpt-codex autogpt install.",
                )


def check_second_copy(modules: Modules, copy: Path) -> Iterator[Finding]:
    """Modules that import the pip-installed package beside a copy of it."""
    for module in modules:
        if module.is_ours:
            continue
        for node in statements_of(module.tree.body):
            roots: list[str] = []
            if isinstance(node, ast.Import):
                roots = [alias.name.partition(".")[0] for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                roots = [(node.module or "").partition(".")[0]]
            if FOLDER_NAME in roots:
                yield Finding(
                    rule="copy-and-package",
                    what=f"This imports the pip-installed package, while a copy of it is in {copy}: the server stops "
                    "with two of each block.",
                    path=module.path,
                    line=node.lineno,
                    fix="Keep one of the two: remove this import, or run chatgpt-codex autogpt uninstall.",
                )


def check_imports(modules: Modules, lock: Path, locked: frozenset[str] | None) -> Iterator[Finding]:
    """Imports of our files that would fail there: a module of ours that is missing, a package AutoGPT has not got."""
    for module in modules:
        if not module.is_ours:
            continue
        for node in _unguarded(module.tree.body):
            if isinstance(node, ast.ImportFrom) and node.level:
                yield from _missing_module(modules, module, node)
            elif locked is not None and isinstance(node, ast.Import | ast.ImportFrom):
                yield from _missing_package(module, node, lock, locked)


def _missing_module(modules: Modules, module: Module, node: ast.ImportFrom) -> Iterator[Finding]:
    parts = module.name.split(".")
    up = node.level - 1 if module.is_package else node.level
    home = ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])
    if modules.get(home) is None:
        yield Finding(
            rule="missing-module",
            what=f"The server stops here: there is no module {home}.",
            path=module.path,
            line=node.lineno,
            fix="A file of ours is missing. Put it back: chatgpt-codex autogpt upgrade.",
        )


def _missing_package(
    module: Module, node: ast.Import | ast.ImportFrom, lock: Path, locked: frozenset[str]
) -> Iterator[Finding]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for name in names:
        root = name.partition(".")[0]
        distribution = _DISTRIBUTIONS.get(root, root).replace("_", "-").lower()
        if root not in sys.stdlib_module_names and root not in {"backend", FOLDER_NAME} and distribution not in locked:
            yield Finding(
                rule="missing-package",
                what=f"The server stops here if {root} is not installed, and {lock.name} does not bring it.",
                path=module.path,
                line=node.lineno,
                fix=f"Add it to the platform: poetry add {distribution} in {lock.parent}.",
            )


def _unguarded(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements whose failure stops the import: not those that a `try` stands around, not those for type checkers."""
    return (statement for statement in body if isinstance(statement, ast.Import | ast.ImportFrom))
