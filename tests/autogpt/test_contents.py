"""What a platform gets: all that the blocks reach, nothing else."""

import ast
from pathlib import Path, PurePosixPath

from chatgpt_codex.autogpt.contents import PACKAGE, platform_files


def package(folder: Path, **sources: str) -> Path:
    """Writes modules; `a__b` is a/b.py, and `a__init__` is a/__init__.py."""
    for name, source in {"__init__": "", "block": "", "roles__init__": "", **sources}.items():
        path = folder / PurePosixPath(*_parts(name)).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return folder


def _parts(name: str) -> list[str]:
    head, init, _ = name.partition("__init__")
    return [part for part in head.split("__") if part] + (["__init__"] if init else [])


def names(folder: Path) -> set[str]:
    return {str(path) for path in platform_files(folder)}


ALWAYS = {"__init__.py", "block.py", "roles/__init__.py"}


def test_what_is_imported_comes_along_with_the_packages_above_it(tmp_path: Path) -> None:
    folder = package(tmp_path, block="from .a.b import c", a__init__="", a__b="from .. import top", top="", other="")

    assert names(folder) == ALWAYS | {"a/__init__.py", "a/b.py", "top.py"}


def test_an_import_inside_a_function_comes_along(tmp_path: Path) -> None:
    folder = package(tmp_path, block="def run():\n    from . import late\n", late="")

    assert names(folder) == {*ALWAYS, "late.py"}


def test_a_module_that_is_imported_by_name_from_its_package_comes_along(tmp_path: Path) -> None:
    folder = package(tmp_path, block="from .a import b, missing", a__init__="", a__b="")

    assert names(folder) == ALWAYS | {"a/__init__.py", "a/b.py"}


def test_what_only_a_type_checker_reads_stays_behind(tmp_path: Path) -> None:
    source = "if TYPE_CHECKING:\n    from . import types\nelse:\n    from . import real\n"
    folder = package(tmp_path, block=source, types="", real="")

    assert names(folder) == {*ALWAYS, "real.py"}


def test_data_beside_a_module_comes_along_and_rubbish_does_not(tmp_path: Path) -> None:
    folder = package(tmp_path, block="from .a import b", a__init__="", a__b="", other__init__="")
    for data in ("a/prices.json", "other/unused.json", "a/.hidden", "a/old.pyc"):
        (folder / data).write_text("{}")

    assert names(folder) == ALWAYS | {"a/__init__.py", "a/b.py", "a/prices.json"}


def test_import_circles_end(tmp_path: Path) -> None:
    folder = package(tmp_path, block="from . import other", other="from . import block")

    assert names(folder) == {*ALWAYS, "other.py"}


def test_our_blocks_bring_no_runner_no_simulator_no_command_and_no_sdk_of_ours() -> None:
    tops = {path.parts[0] for path in platform_files()}

    assert {"block.py", "roles", "llm", "_host.py", "__init__.py"} <= tops
    assert not tops & {"block_sdk", "runner", "simulator", "cli", "autogpt", "doctor", "drawing", "gateway", "studio"}


def test_contents_are_the_files_themselves() -> None:
    files = platform_files()

    assert {path: (PACKAGE / path).read_bytes() for path in files} == files
    assert list(files) == sorted(files)


def test_only_the_host_seam_imports_from_the_platform_and_only_its_sdk() -> None:
    imported = {
        (file.relative_to(PACKAGE).as_posix(), name)
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_bytes()))
        for name in _absolute_imports(node)
        if name.partition(".")[0] == "backend"
    }

    assert imported == {("_host.py", "backend.sdk")}


def _absolute_imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
