"""DeveloperBlock: turns requirements and findings into files and tests."""

from collections.abc import Iterable
from typing import Any, Literal

from .._config import RUN_COST, openai_provider
from .._host import APIKeyCredentials, BlockOutput, BlockSchemaInput, CredentialsMetaInput, SchemaField, cost
from .._model_settings import (
    EffortChoice,
    ModelChoice,
    ServiceTierChoice,
    VerbosityChoice,
    custom_model_field,
    fallback_model_field,
    max_retries_field,
    model_field,
    output_limit_field,
    reasoning_effort_field,
    service_tier_field,
    temperature_field,
    timeout_seconds_field,
    verbosity_field,
)
from .markdown import bullets, code, document, fenced, prose, section
from .material import Material, file_materials, list_material, parts_material
from .paths import path_key
from .role import Assignment, Delivery, RoleBase, RoleOutput
from .tracing import dangling_ids, with_distinct_ids
from .work import (
    Handoff,
    Requirement,
    SourceFile,
    WorkError,
    WorkPart,
    check_paths,
    read_handoff,
    read_parts,
)

INSTRUCTIONS = (
    "You are a senior developer. Make everything that the requirements call for, completely: no placeholders, no parts "
    "left out, nothing that nobody asked for. Every file and test names in requirement_ids the ids of the criteria it "
    "serves, exactly as the requirements give them. Paths are relative to the project's folder, with forward slashes, "
    "each used once.\n"
    "Where files exist already, answer only with those that you add or change, each whole, and name those to be "
    "deleted in removed_paths; all others stay as they are. Where there are findings or feedback, resolve each of "
    "them, blockers and majors first; if one is wrong, leave the work as it is there and say why in notes. commands "
    "are what one types to install, run and test, one to an entry. Keep notes short: what the reviewer has to know."
)
CHAT_FOCUS = (
    "The work is texts: write them into files, in Markdown unless the material asks for something else. tests and "
    "commands stay empty."
)
CODE_FOCUS = "The work is software. Write tests that check every criterion and that can fail."


class Implementation(WorkPart):
    """The work, or what changes in it."""

    files: tuple[SourceFile, ...]
    tests: tuple[SourceFile, ...]
    removed_paths: tuple[str, ...]
    commands: tuple[str, ...]
    notes: str


@cost(RUN_COST)
class DeveloperBlock(RoleBase):
    """Builds; see the description given to the builder below."""

    class Input(BlockSchemaInput):
        """The pins on the left. The handoff alone is enough; each other input replaces what it says."""

        credentials: CredentialsMetaInput = openai_provider.credentials_field(
            description="Your OpenAI API key, or the key of whatever server the operator has put in its place."
        )
        handoff: dict[str, Any] = SchemaField(
            description="The Business Analyst's `handoff`, and the Reviewer's `changes_requested` into the same input.",
            default_factory=dict,
            advanced=False,
        )
        requirements: list[dict[str, Any]] = SchemaField(
            description="id, story, priority and acceptance_criteria of each. Replaces those of the handoff.",
            default_factory=list,
            advanced=False,
        )
        feedback: str = SchemaField(
            description="What to do differently, in your words. Comes on top of the reviewer's findings.",
            default="",
            advanced=False,
        )
        files: list[dict[str, Any]] = SchemaField(
            description="Files that exist already: path and content of each. Replaces those of the handoff.",
            default_factory=list,
            advanced=False,
        )
        language: str = SchemaField(
            description="Programming language, and version or framework if that matters. Empty: left to the developer.",
            default="",
            placeholder="Python 3.12",
            advanced=False,
        )
        mode: Literal["chat", "code"] = SchemaField(
            description="code writes software, on a stronger model; chat writes texts.", default="code", advanced=True
        )
        model: ModelChoice = model_field()
        custom_model: str = custom_model_field()
        reasoning_effort: EffortChoice = reasoning_effort_field()
        verbosity: VerbosityChoice = verbosity_field()
        temperature: float = temperature_field()
        output_limit: int | None = output_limit_field()
        fallback_model: str = fallback_model_field()
        service_tier: ServiceTierChoice = service_tier_field()
        timeout_seconds: float = timeout_seconds_field()
        max_retries: int = max_retries_field()

    class Output(RoleOutput):
        """The pins on the right."""

        files: list[dict[str, Any]] = SchemaField(
            description="All files of the work: path, language, content and requirement_ids of each."
        )
        tests: list[dict[str, Any]] = SchemaField(description="All tests of the work, like `files`.")
        commands: list[str] = SchemaField(description="How to install, run and test it.")
        notes: str = SchemaField(description="What the reviewer has to know.")
        revision: int = SchemaField(description="1 for the first version; one more each time.")

    def __init__(self) -> None:
        super().__init__(
            id="757adbcd-ac39-4e64-9d8e-88a33f232b06",
            description="Developer: turns requirements and review findings into files and tests.",
            input_schema=DeveloperBlock.Input,
            output_schema=DeveloperBlock.Output,
            test_inputs={
                mode: {"requirements": [{"id": "R1", "story": "A visitor is greeted."}]} for mode in ("chat", "code")
            },
            test_outputs={
                mode: (
                    ("response", lambda text: text.startswith("# Revision 1") and "print('Hello')" in text),
                    ("files", [_TEST_WORK.files[0].to_json()]),
                    ("tests", []),
                    ("commands", ["python hello.py"]),
                    ("notes", "As short as can be."),
                    ("revision", 1),
                    ("handoff", lambda handoff: handoff["revision"] == 1 and len(handoff["files"]) == 1),
                )
                for mode in ("chat", "code")
            },
            test_answer=lambda _: _TEST_WORK,
        )

    def run(self, input_data: Input, *, credentials: APIKeyCredentials, **_: object) -> BlockOutput:
        """Yields the files and tests."""
        return self.work(input_data, credentials, lambda: _assignment_of(input_data))


def _assignment_of(inputs: DeveloperBlock.Input) -> Assignment[Implementation]:
    known = read_handoff(inputs.handoff) or Handoff(role="developer")
    given = read_parts("requirements", Requirement, inputs.requirements)
    requirements, renamed = with_distinct_ids(given or known.requirements)
    files = read_parts("files", SourceFile, inputs.files) or known.files
    check_paths(files, known.tests)
    work = known.model_copy(
        update={
            "requirements": requirements,
            "files": files,
            "language": inputs.language.strip() or known.language,
        }
    )
    if not requirements and not inputs.feedback.strip():
        raise WorkError(
            "The Developer has no requirements. Link the Business Analyst's `handoff` to `handoff`, or give "
            "`requirements`; to change existing files without any, say in `feedback` what to do."
        )
    return Assignment(
        instructions=f"{INSTRUCTIONS}\n\n{CODE_FOCUS if inputs.mode == 'code' else CHAT_FOCUS}",
        task=_task_of(work),
        material=(
            Material("Brief", work.brief),
            parts_material("Requirements", work.requirements),
            list_material("Out of scope", work.out_of_scope),
            list_material("Open questions: decide sensibly, and say how in notes", work.open_questions),
            Material("Language", work.language),
            Material("Feedback", inputs.feedback),
            parts_material("Findings of the last review", work.findings),
            Material("Output of the tests", work.test_output),
            *file_materials("File", work.files),
            *file_materials("Test", work.tests),
        ),
        answer_name="implementation",
        answer_type=Implementation,
        deliver=lambda implementation: _delivery_of(implementation, work),
        notices=renamed,
    )


def _task_of(work: Handoff) -> str:
    if work.revision == 0:
        return "Do the work that this material describes."
    return f"Revise the work: this becomes revision {work.revision + 1}."


def _delivery_of(implementation: Implementation, work: Handoff) -> Delivery:
    check_paths(implementation.files, implementation.tests)
    existing = {path_key(file.path) for file in (*work.files, *work.tests)}
    removed = {path_key(path) for path in implementation.removed_paths}
    files = _merged(work.files, implementation.files, removed, other=implementation.tests)
    tests = _merged(work.tests, implementation.tests, removed, other=implementation.files)
    check_paths(files, tests)
    if not files:
        raise WorkError("The model wrote no file. Make the requirements clearer, or choose a stronger model.")
    revision = work.revision + 1
    handoff = work.model_copy(
        update={
            "role": "developer",
            "files": files,
            "tests": tests,
            "commands": implementation.commands or work.commands,
            "notes": implementation.notes,
            # Both were about the revision before.
            "test_output": "",
            "findings": (),
            "coverage": (),
            "revision": revision,
        }
    )
    return Delivery(
        response=_response_of(handoff),
        pins=(
            ("files", [file.to_json() for file in files]),
            ("tests", [test.to_json() for test in tests]),
            ("commands", list(handoff.commands)),
            ("notes", implementation.notes),
            ("revision", revision),
        ),
        handoff=handoff,
        notices=(
            *(
                f"The model removed {path[:80]!a}, but the work has no such file."
                for path in implementation.removed_paths
                if path_key(path) not in existing
            ),
            *(str(dangler) for dangler in dangling_ids(work.requirements, (*files, *tests))),
        ),
    )


def _merged(
    before: Iterable[SourceFile], changed: Iterable[SourceFile], removed: set[str], *, other: Iterable[SourceFile]
) -> tuple[SourceFile, ...]:
    """The files after a revision, in their old order; one that has moved to the `other` list is gone from this one."""
    moved = {path_key(file.path) for file in other}
    files = {path_key(file.path): file for file in before if path_key(file.path) not in removed | moved}
    return tuple({**files, **{path_key(file.path): file for file in changed}}.values())


def _response_of(work: Handoff) -> str:
    return document(
        f"Revision {work.revision}",
        prose(work.notes),
        section("Commands", fenced("\n".join(work.commands), "sh") if work.commands else ""),
        *(
            section(
                code(file.path),
                "\n\n".join(filter(None, (bullets(_ids_of(file)), fenced(file.content, file.language)))),
            )
            for file in (*work.files, *work.tests)
        ),
    )


def _ids_of(file: SourceFile) -> tuple[str, ...]:
    return (f"serves {', '.join(file.requirement_ids)}",) if file.requirement_ids else ()


_TEST_WORK = Implementation(
    files=(SourceFile(path="hello.py", language="python", content="print('Hello')\n", requirement_ids=("R1",)),),
    tests=(),
    removed_paths=(),
    commands=("python hello.py",),
    notes="As short as can be.",
)
