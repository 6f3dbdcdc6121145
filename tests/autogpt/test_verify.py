"""verify on a sound platform, and on platforms with one fault planted."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from chatgpt_codex.autogpt.finding import Finding
from chatgpt_codex.autogpt.install import perform, plan_install
from chatgpt_codex.autogpt.layout import Platform, find_platform
from chatgpt_codex.autogpt.stamp import STAMP_NAME
from chatgpt_codex.autogpt.verify import verify

OURS = (
    "BusinessAnalystBlock",
    "ChatGPTCodexBlock",
    "CodexTaskBlock",
    "DeveloperBlock",
    "ProjectManagerBlock",
    "ReviewerBlock",
)
GREET_ID = "0bb44a6c-94a2-4a5c-b9b5-4d9e7f8f2f11"
FREE_ID = "3f1d1a52-6f5e-4f4b-8a3d-0f6a5a3c9b77"

WAVE = """
from backend.sdk import Block, BlockSchemaInput, BlockSchemaOutput, SchemaField


class WaveBlock(Block):
    class Input(BlockSchemaInput):
        name: str = SchemaField(description="Who.")

    class Output(BlockSchemaOutput):
        error: str = SchemaField(description="Why not.")

    def __init__(self):
        super().__init__(id="{id}", input_schema=WaveBlock.Input, output_schema=WaveBlock.Output)

    async def run(self, input_data, **kwargs):
        yield "error", "no"
""".replace("{id}", FREE_ID)


def plant(platform: Platform, name: str, source: str) -> Path:
    path = platform.blocks / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(source))
    return path


def edit(path: Path, old: str, new: str) -> int:
    """Replaces text in a file; gives the line where it stands."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def problems(platform: Platform) -> list[Finding]:
    return [finding for finding in verify(platform).findings if finding.severity == "problem"]


def the_problem(platform: Platform) -> Finding:
    (problem,) = problems(platform)
    assert problem.what
    assert problem.fix
    return problem


@pytest.fixture
def installed(platform: Platform) -> Platform:
    perform(plan_install(platform))
    return platform


@pytest.mark.parametrize("shape", ["today", "newer"])
@pytest.mark.parametrize("way", ["not installed", "copy", "shim"])
def test_a_sound_platform_gives_no_finding(checkout: Callable[..., Path], shape: str, way: str) -> None:
    platform = find_platform(checkout(shape))
    if way == "copy":
        perform(plan_install(platform, "copy"))
    if way == "shim":
        perform(plan_install(platform, "shim"))

    found = verify(platform)

    assert found.findings == ()
    assert found.is_good
    assert (found.subject, found.our_blocks, found.blocks) == (way, OURS, 7)


def test_a_copy_by_hand_is_checked_as_it_is(platform: Platform) -> None:
    perform(plan_install(platform))
    (platform.copy / "installed.json").unlink()

    found = verify(platform)

    assert (found.subject, found.our_blocks, found.findings) == ("copy", OURS, ())


def test_a_link_that_leads_nowhere_is_no_module(platform: Platform) -> None:
    (platform.blocks / "Gone.py").symlink_to("/nowhere")

    assert problems(platform) == []


def test_nothing_is_imported(platform: Platform) -> None:
    plant(platform, "loud.py", "raise SystemExit('imported')")

    assert verify(platform).is_good


# -- faults anywhere in the blocks folder ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Upper.py", "pkg/Upper.py", "Pkg/fine.py", "with-dash.py", "two.dots.py", "ümlaut.py"]
)
def test_a_module_name_that_stops_the_server(platform: Platform, name: str) -> None:
    path = plant(platform, name, "")

    problem = the_problem(platform)

    assert (problem.rule, problem.path) == ("module-name", path)


@pytest.mark.parametrize("name", [".hidden/module.py", "pkg/.hidden.py"])
def test_hidden_modules(platform: Platform, name: str) -> None:
    path = plant(platform, name, "")

    problem = the_problem(platform)

    assert (problem.rule, problem.path) == ("module-name", path)
    assert "hidden" in problem.what


@pytest.mark.parametrize(
    "name", ["test_Upper.py", "examples/Upper.py", "__pycache__/Upper.py", "Upper.txt", "a/__init__.py"]
)
def test_what_the_server_does_not_import_may_have_any_name(platform: Platform, name: str) -> None:
    plant(platform, name, "")

    assert problems(platform) == []


def test_a_symlinked_package(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "wave.py").write_text(WAVE)
    (platform.blocks / "mine").symlink_to(tmp_path / "mine")

    problem = the_problem(platform)

    assert (problem.rule, problem.path) == ("symlinked-package", platform.blocks / "mine")


def test_our_package_symlinked(platform: Platform, tmp_path: Path) -> None:
    perform(plan_install(platform))
    platform.copy.rename(tmp_path / "chatgpt_codex")
    platform.copy.symlink_to(tmp_path / "chatgpt_codex")

    problem = the_problem(platform)

    assert (problem.rule, problem.path) == ("symlinked-package", platform.copy)


def test_a_duplicate_id(platform: Platform) -> None:
    path = plant(platform, "wave.py", WAVE.replace(FREE_ID, GREET_ID))

    problem = the_problem(platform)

    assert (problem.rule, problem.where) == ("duplicate-id", f"{path}:13")
    assert f"GreetBlock in {platform.blocks / 'greet.py'}" in problem.what


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f'"{FREE_ID}"', "WAVE_ID"),
        (f'id="{FREE_ID}", ', f'**{{"id": "{GREET_ID}"}}, '),
    ],
)
def test_a_duplicate_id_by_another_way_of_writing(platform: Platform, old: str, new: str) -> None:
    plant(platform, "wave.py", WAVE.replace(old, new) + f'\n\nWAVE_ID = "{GREET_ID}"\n')

    assert the_problem(platform).rule == "duplicate-id"


def test_a_duplicate_of_one_of_ours_is_shown_at_ours(platform: Platform) -> None:
    perform(plan_install(platform))
    plant(platform, "wave.py", WAVE.replace(FREE_ID, "6e9f6636-9b5c-426a-81e8-8c64b48b797d"))

    problem = the_problem(platform)

    assert (problem.rule, problem.path) == ("duplicate-id", platform.copy / "block.py")
    assert f"WaveBlock in {platform.blocks / 'wave.py'}" in problem.what


def test_a_second_copy_under_another_name(platform: Platform) -> None:
    perform(plan_install(platform))
    platform.copy.rename(platform.blocks / "my_codex")

    rules = {problem.rule for problem in problems(platform)}

    assert rules == {"duplicate-id", "duplicate-class-name"}


def test_a_duplicate_class_name(platform: Platform) -> None:
    path = plant(platform, "wave.py", WAVE.replace("WaveBlock", "GreetBlock"))

    problem = the_problem(platform)

    assert (problem.rule, problem.where) == ("duplicate-class-name", f"{path}:5")


def test_two_classes_between(platform: Platform) -> None:
    source = WAVE.replace("class WaveBlock(Block)", "class WaveBlock(MiddleBase)").replace(
        "\n\nclass", "\n\nclass TopBase(Block): ...\n\n\nclass MiddleBase(TopBase): ...\n\n\nclass", 1
    )
    plant(platform, "wave.py", source)

    problem = the_problem(platform)

    assert problem.rule == "two-classes-between"
    assert "Block > TopBase > MiddleBase > WaveBlock" in problem.what


def test_one_class_between_in_another_module_is_fine(platform: Platform) -> None:
    plant(platform, "base/__init__.py", "from .top import TopBase as Renamed")
    plant(platform, "base/top.py", "import backend.sdk\n\nclass TopBase(backend.sdk.Block): ...\n")
    source = WAVE.replace("class WaveBlock(Block)", "class WaveBlock(base.Renamed)")
    plant(platform, "wave.py", source + "\n").write_text("from backend.blocks import base\n" + source)

    found = verify(platform)

    assert found.findings == ()
    assert found.blocks == 8


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("class-name", "WaveBlock", "WaveThing"),
        ("random-id", f'"{FREE_ID}"', "str(uuid.uuid4())"),
        ("id-form", FREE_ID, "wave"),
        ("name-argument", "super().__init__(", 'super().__init__(name="Wave", '),
        ("error-type", "error: str =", "error: str | None ="),
        ("not-a-schema-field", 'name: str = SchemaField(description="Who.")', 'name: str = "you"'),
        ("not-a-schema-field", 'name: str = SchemaField(description="Who.")', "name: str"),
        ("not-a-schema-field", 'name: str = SchemaField(description="Who.")', 'name: str = Field(description="")'),
        ("bool-default", "name: str =", "loud: bool ="),
        ("bool-default", 'name: str = SchemaField(description="Who.")', "loud: bool = SchemaField(default=None)"),
        (
            "bool-default",
            'name: str = SchemaField(description="Who.")',
            "loud: bool = SchemaField(default_factory=bool)",
        ),
        ("credentials-name", "name: str =", "api: CredentialsMetaInput ="),
        ("credentials-type", "name: str =", "my_credentials: CredentialsMetaInput | None ="),
        ("credentials-type", "name: str =", "my_credentials: str ="),
        (
            "openai-base-cost",
            "class Wave",
            'x = ProviderBuilder("openai").with_base_cost(1, RUN).build()\n\n\nclass Wave',
        ),
        ("syntax", "class WaveBlock(Block):", "class WaveBlock(Block)"),
    ],
)
def test_one_fault_in_a_block(platform: Platform, rule: str, old: str, new: str) -> None:
    path = plant(platform, "wave.py", WAVE.replace(old, new))

    problem = the_problem(platform)

    assert (problem.rule, problem.path) == (rule, path)
    assert problem.line is not None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: str =", "loud: bool | None ="),
        ('name: str = SchemaField(description="Who.")', "loud: bool = SchemaField(True)"),
        ('name: str = SchemaField(description="Who.")', "kind: ClassVar[str] = ''"),
        ('name: str = SchemaField(description="Who.")', "_private: int = 0"),
        ('name: str = SchemaField(description="Who.")', "name: str = some_field()"),
        ("name: str =", "user_credentials: TwitterCredentialsInput ="),
        ("name: str =", "max_tokens: int ="),
        ("class Wave", 'x = ProviderBuilder("exa").with_base_cost(1, RUN).build()\n\n\nclass Wave'),
    ],
)
def test_what_is_no_fault_in_another_s_block(platform: Platform, old: str, new: str) -> None:
    plant(platform, "wave.py", WAVE.replace(old, new))

    assert problems(platform) == []


def test_a_block_without_a_constructor(platform: Platform) -> None:
    plant(platform, "wave.py", WAVE + "\n\nclass LoudWaveBlock(WaveBlock): ...\n\n\nclass MuteBlock(Block): ...\n")

    found = {(problem.rule, problem.line) for problem in problems(platform)}

    assert found == {("duplicate-id", 19), ("id-form", 22)}


# -- faults in our files -----------------------------------------------------------------------------------------------


def test_an_input_name_that_export_would_drop(installed: Platform) -> None:
    line = edit(installed.copy / "block.py", "user_prompt: str", "user_token: str")

    problem = the_problem(installed)

    assert (problem.rule, problem.where) == ("dropped-by-export", f"{installed.copy / 'block.py'}:{line}")
    assert "'token'" in problem.what


def test_a_bool_of_ours_without_a_default(installed: Platform) -> None:
    line = edit(installed.copy / "block.py", "default=False, advanced=True", "advanced=True") - 1

    problem = the_problem(installed)

    assert problem.rule == "bool-default"
    assert abs((problem.line or 0) - line) <= 1


def test_a_base_cost_in_our_provider(installed: Platform) -> None:
    line = edit(installed.copy / "_config.py", ".build()", ".with_base_cost(1, BlockCostType.RUN).build()")

    problem = the_problem(installed)

    assert (problem.rule, problem.where) == ("openai-base-cost", f"{installed.copy / '_config.py'}:{line}")


def test_two_classes_between_in_ours(installed: Platform) -> None:
    edit(installed.copy / "roles" / "role.py", "class RoleBase(Block)", "class RoleBase(TopBase)")
    edit(installed.copy / "roles" / "role.py", "class RoleOutput", "class TopBase(Block): ...\n\n\nclass RoleOutput")

    assert {problem.rule for problem in problems(installed)} == {"two-classes-between"}
    assert len(problems(installed)) == 4


def test_annotations_that_are_texts(installed: Platform) -> None:
    edit(installed.copy / "block.py", "import os", "from __future__ import annotations\nimport os")

    assert {problem.rule for problem in problems(installed)} == {"future-annotations"}


def test_inputs_that_are_inherited(installed: Platform) -> None:
    edit(installed.copy / "block.py", "class Input(BlockSchemaInput)", "class Input(Common)")
    edit(
        installed.copy / "block.py",
        "@cost(RUN_COST)",
        "class Common(BlockSchemaInput):\n    topic: str = SchemaField(description='')\n\n\n@cost(RUN_COST)",
    )

    problem = the_problem(installed)

    assert problem.rule == "inherited-input"
    assert "ChatGPTCodexBlock.Input.topic" in problem.what


def test_an_id_that_is_no_uuid4(installed: Platform) -> None:
    edit(installed.copy / "block.py", "6e9f6636-9b5c-426a", "6e9f6636-9b5c-126a")

    assert the_problem(installed).rule == "id-form"


def test_a_module_of_ours_that_is_gone(installed: Platform) -> None:
    (installed.copy / "_outcome.py").unlink()

    rules = [problem.rule for problem in problems(installed)]

    assert set(rules) == {"missing-module", "missing-file"}


def test_a_package_that_autogpt_has_not_got(installed: Platform) -> None:
    line = edit(installed.copy / "block.py", "import os", "import typer")

    problem = the_problem(installed)

    assert (problem.rule, problem.line) == ("missing-package", line)
    assert "poetry add typer" in problem.fix


def test_local_edits_are_a_warning(installed: Platform) -> None:
    (installed.copy / "block.py").write_text((installed.copy / "block.py").read_text() + "# mine\n")

    found = verify(installed)

    assert [(finding.severity, finding.rule) for finding in found.findings] == [("warning", "local-edit")]
    assert found.is_good


@pytest.mark.parametrize("by_hand", [False, True])
def test_copy_and_shim_at_once(installed: Platform, by_hand: bool) -> None:
    elsewhere = installed.copy.rename(installed.package / "aside")
    perform(plan_install(installed, "shim"))
    elsewhere.rename(installed.copy)
    if by_hand:
        (installed.copy / STAMP_NAME).unlink()

    problem = the_problem(installed)

    assert problem.rule == "copy-and-shim"
    assert problem.what.startswith("The server stops: it finds each of our blocks twice")
    assert str(installed.copy) in problem.what
    assert str(installed.shim) in problem.what


def test_a_module_that_imports_the_package_beside_the_copy(installed: Platform) -> None:
    path = plant(installed, "mine.py", "import os\nfrom chatgpt_codex.block import ChatGPTCodexBlock\n")

    problem = the_problem(installed)

    assert (problem.rule, problem.where) == ("copy-and-package", f"{path}:2")


# -- what the platform brings ------------------------------------------------------------------------------------------


def test_an_openai_that_is_too_old(platform: Platform) -> None:
    edit(platform.project / "poetry.lock", 'version = "1.97.1"', 'version = "1.68.2"')

    problem = the_problem(platform)

    assert (problem.rule, problem.path) == ("package-version", platform.project / "poetry.lock")
    assert "openai 1.68.2; the blocks need >=1.97.1,<4" in problem.what


def test_an_openai_that_is_too_new(platform: Platform) -> None:
    edit(platform.project / "poetry.lock", 'version = "1.97.1"', 'version = "4.0.0"')

    assert the_problem(platform).rule == "package-version"


def test_a_package_that_the_lock_lacks(platform: Platform) -> None:
    edit(platform.project / "poetry.lock", 'name = "openai"', 'name = "closedai"')

    assert {problem.rule for problem in problems(platform)} == {"missing-package"}


def test_a_python_that_is_too_old(platform: Platform) -> None:
    edit(platform.project / "poetry.lock", ">=3.10,<3.14", ">=3.9,<3.11")

    assert the_problem(platform).rule == "python-version"


def test_an_old_python_that_the_image_does_not_use_is_no_matter(platform: Platform) -> None:
    assert verify(platform).findings == ()
    (platform.project / "Dockerfile").unlink()
    assert [finding.rule for finding in verify(platform).findings] == ["python-version"]
    assert verify(platform).is_good


def test_a_lock_file_that_is_not_there_is_a_warning(platform: Platform) -> None:
    (platform.project / "poetry.lock").unlink()

    found = verify(platform)

    assert [(finding.severity, finding.rule) for finding in found.findings] == [("warning", "lock-file")]


def test_a_platform_without_an_sdk(platform: Platform) -> None:
    (platform.package / "sdk" / "__init__.py").unlink()

    assert the_problem(platform).rule == "sdk-missing"


def test_an_sdk_that_lacks_a_name(platform: Platform) -> None:
    edit(platform.package / "sdk" / "__init__.py", "ProviderBuilder, ", "")

    problem = the_problem(platform)

    assert problem.rule == "sdk-name"
    assert "no ProviderBuilder" in problem.what


def test_the_older_sdk_is_enough(checkout: Callable[..., Path]) -> None:
    assert verify(find_platform(checkout("older"))).findings == ()
