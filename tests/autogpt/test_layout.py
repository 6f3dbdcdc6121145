"""Where the blocks folder is found, and where not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from chatgpt_codex.autogpt.errors import PlatformNotFoundError, RefusedError
from chatgpt_codex.autogpt.layout import find_platform

BLOCKS = "autogpt_platform/backend/backend/blocks"


@pytest.mark.parametrize(
    "given",
    ["", "autogpt_platform", "autogpt_platform/backend", "autogpt_platform/backend/backend", BLOCKS],
)
def test_each_folder_on_the_way_leads_to_the_blocks(checkout: Callable[..., Path], given: str) -> None:
    root = checkout()

    platform = find_platform(root / given)

    assert platform.blocks == root / BLOCKS
    assert platform.package == root / "autogpt_platform/backend/backend"
    assert platform.project == root / "autogpt_platform/backend"


def test_the_path_itself_may_be_a_link(checkout: Callable[..., Path], tmp_path: Path) -> None:
    root = checkout()
    (tmp_path / "link").symlink_to(root)

    assert find_platform(tmp_path / "link").blocks == root / BLOCKS


def test_a_blocks_folder_that_is_a_link_out_is_refused(checkout: Callable[..., Path], tmp_path: Path) -> None:
    root = checkout()
    (root / BLOCKS).rename(tmp_path / "elsewhere")
    (root / BLOCKS).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(RefusedError, match="is a symlink out of"):
        find_platform(root)


def test_a_folder_without_a_platform_is_said_to_have_none(tmp_path: Path) -> None:
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "__init__.py").write_text("# some other project's blocks\n")

    with pytest.raises(PlatformNotFoundError, match=r"No AutoGPT platform at .*Give a checkout of AutoGPT"):
        find_platform(tmp_path)


def test_a_path_that_is_not_there_is_said_to_be_no_folder(tmp_path: Path) -> None:
    with pytest.raises(PlatformNotFoundError, match="is not a folder"):
        find_platform(tmp_path / "nowhere")
