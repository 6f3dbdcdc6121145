"""A stand-in for an AutoGPT checkout, made by the test: its layout, its loader's rules, and our SDK as its own."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from chatgpt_codex import block_sdk
from chatgpt_codex.autogpt.layout import Platform, find_platform

Shape = str
"""Which generation of the platform: older (one schema class), today, newer (Block below `blocks`)."""

NAMES = (
    *("APIKeyCredentials", "BlockCategory", "BlockCost", "BlockCostType", "BlockOutput", "BlockSchema", "BlockType"),
    *("Credentials", "CredentialsField", "CredentialsMetaInput", "NodeExecutionStats", "OAuth2Credentials"),
    *("Provider", "ProviderBuilder", "ProviderName", "SchemaField", "cost"),
)
SCHEMAS = ("BlockSchemaInput", "BlockSchemaOutput")

LOADER = '''
"""Finds blocks as the platform does."""

import importlib
import re
from pathlib import Path


def load_all_blocks():
    from {block_home} import Block

    here = Path(__file__).parent
    for file in sorted(here.rglob("*.py")):
        if file.name == "__init__.py" or file.name.startswith("test_"):
            continue
        module = ".".join(file.relative_to(here).with_suffix("").parts)
        if not re.fullmatch("[a-z0-9_.]+", module):
            raise ValueError(f"module {{module}}")
        importlib.import_module(f".{{module}}", __name__)
    found, waiting = {{}}, [Block]
    while waiting:
        for cls in waiting.pop().__subclasses__():
            waiting.append(cls)
            if cls.__name__.endswith("Base"):
                continue
            block = cls()
            if block.id in found:
                raise ValueError(f"{{block.id}} is already in use")
            found[block.id] = cls
    return found
'''

GREET = """
from backend.sdk import Block, BlockSchema, SchemaField


class GreetBlock(Block):
    class Input(BlockSchema):
        name: str = SchemaField(description="Who.")
        loud: bool = SchemaField(description="How.", default=False)

    class Output(BlockSchema):
        greeting: str = SchemaField(description="What.")
        error: str = SchemaField(description="Why not.", default="")

    def __init__(self):
        super().__init__(
            id="0bb44a6c-94a2-4a5c-b9b5-4d9e7f8f2f11",
            description="Greets.",
            input_schema=GreetBlock.Input,
            output_schema=GreetBlock.Output,
        )

    async def run(self, input_data, **kwargs):
        yield "greeting", input_data.name
"""

LOCK = """
[[package]]
name = "openai"
version = "1.97.1"

[[package]]
name = "pydantic"
version = "2.11.7"

[[package]]
name = "aiohttp"
version = "3.12.14"

[[package]]
name = "jsonschema"
version = "4.25.0"

[[package]]
name = "referencing"
version = "0.36.2"

[metadata]
lock-version = "2.1"
python-versions = ">=3.10,<3.14"
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")


def make_checkout(root: Path, shape: Shape = "today") -> None:
    """Writes the stand-in below `root`."""
    project = root / "autogpt_platform" / "backend"
    package = project / "backend"
    block_home = "backend.blocks._base" if shape == "newer" else "backend.data.block"
    names = [*NAMES, *(SCHEMAS if shape != "older" else ())]
    write(root / "autogpt_platform" / "docker-compose.yml", "services: {}\n")
    write(project / "pyproject.toml", "[tool.poetry]\n")
    write(project / "poetry.lock", LOCK)
    write(project / "Dockerfile", "RUN apt-get install -y python3.13\n")
    write(package / "__init__.py", "")
    # Its own implementation of the contract: ours, under another name.
    shutil.copytree(
        Path(block_sdk.__file__).parent,
        package / "platform_sdk",
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )
    write(package / "data" / "__init__.py", "")
    home = package.joinpath(*block_home.split(".")[1:]).with_suffix(".py")
    write(home, "from backend.platform_sdk import Block as _Block\n\n\nclass Block(_Block): ...\n")
    sdk = f"from {block_home} import Block\nfrom backend.platform_sdk import {', '.join(names)}\n"
    write(package / "sdk" / "__init__.py", sdk)
    write(package / "util" / "__init__.py", "")
    write(package / "util" / "test.py", "from backend.platform_sdk import run_block_test as execute_block_test\n")
    write(package / "blocks" / "__init__.py", LOADER.format(block_home=block_home))
    write(package / "blocks" / "greet.py", GREET)
    write(package / "blocks" / "test_greet.py", "raise AssertionError('a test, which the server does not import')\n")


@pytest.fixture
def checkout(tmp_path: Path) -> Callable[..., Path]:
    """`checkout(shape)` makes a stand-in and gives its folder."""

    def make(shape: Shape = "today") -> Path:
        root = tmp_path / "AutoGPT"
        make_checkout(root, shape)
        return root

    return make


@pytest.fixture
def platform(checkout: Callable[..., Path]) -> Platform:
    return find_platform(checkout())


@pytest.fixture
def python() -> Path:
    """A Python that has what the stand-in needs."""
    return Path(sys.executable)
