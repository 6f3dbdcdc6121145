"""Which of our files a platform needs: the modules that the blocks reach by imports, and the data beside them.

Worked out from the source each time, so that it stays right when modules are added.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType

PACKAGE = Path(__file__).resolve().parent.parent
"""This package's own folder."""

_ENTRIES = ("block", "codex_task", "roles")
# `_host` imports it only where AutoGPT is absent.
_STANDALONE_ONLY = frozenset({"block_sdk"})


@cache
def platform_files(package: Path = PACKAGE) -> Mapping[PurePosixPath, bytes]:
    """The files to copy, by their path below the package folder, sorted; read once."""
    modules: set[PurePosixPath] = set()
    waiting = [PurePosixPath("__init__.py"), *(_file_of(package, PurePosixPath(name)) for name in _ENTRIES)]
    while waiting:
        module = waiting.pop()
        if module is None or module in modules:
            continue
        modules.add(module)
        waiting.extend(_imports_of(package, module))
        # Importing a module runs the packages above it first.
        waiting.extend(parent / "__init__.py" for parent in module.parents)
    folders = {module.parent for module in modules}
    data = {
        PurePosixPath(file.relative_to(package).as_posix())
        for folder in folders
        for file in (package / folder).iterdir()
        if file.is_file() and file.suffix not in {".py", ".pyc"} and not file.name.startswith(".")
    }
    return MappingProxyType({path: (package / path).read_bytes() for path in sorted(modules | data)})


def _imports_of(package: Path, module: PurePosixPath) -> Iterator[PurePosixPath | None]:
    tree = ast.parse((package / module).read_bytes(), filename=str(package / module))
    for node in _nodes_at_run_time(tree):
        if not isinstance(node, ast.ImportFrom) or node.level == 0:
            continue
        base = PurePosixPath(*module.parts[: len(module.parts) - node.level])
        if node.module:
            base = base.joinpath(*node.module.split("."))
            yield _file_of(package, base)
        for alias in node.names:
            yield _file_of(package, base / alias.name)


def _nodes_at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes below `tree` but those that only a type checker reads."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            for other in child.orelse:
                yield other
                yield from _nodes_at_run_time(other)
            continue
        yield child
        yield from _nodes_at_run_time(child)


def _file_of(package: Path, module: PurePosixPath) -> PurePosixPath | None:
    """The file of a module path such as `llm/asking`; None if it names no module, but something inside one."""
    if not module.parts or module.parts[0] in _STANDALONE_ONLY:
        return None
    if (package / module / "__init__.py").is_file():
        return module / "__init__.py"
    file = module.with_name(f"{module.name}.py")
    return file if (package / file).is_file() else None
