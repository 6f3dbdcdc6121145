"""BusinessAnalystBlock: turns a brief or a plan into requirements with acceptance criteria."""

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
from .role import Assignment, Delivery, RoleBase, RoleOutput
from .tracing import dangling_ids, with_distinct_ids
from .work import (
    AcceptanceCriterion,
    Handoff,
    Requirement,
    SourceFile,
    WorkError,
    WorkPart,
    check_paths,
    read_handoff,
)

INSTRUCTIONS = (
    "You are an experienced business analyst. Turn the material into requirements that a developer can build and a "
    "reviewer can check. Each requirement has an id (R1, R2, …), a story that says who needs what and what for, a "
    "priority (must: useless without it; should; could), and acceptance criteria (R1.1, R1.2, …) that can each be "
    "answered by yes or no. No two ids are the same. Ask for nothing that the material does not call for. What is "
    "deliberately left out goes to out_of_scope; what people have to decide goes to open_questions."
)
CHAT_FOCUS = "Write for readers who do not program."
CODE_FOCUS = (
    "The requirements are for software. Put data schemas or interface definitions that follow from them into files, "
    "and stubs of tests, each with the behaviour it will check in words, into tests; every file names in "
    "requirement_ids the criteria it belongs to. Leave files or tests empty where they would say nothing new."
)


class Specification(WorkPart):
    """What is to be made."""

    requirements: tuple[Requirement, ...]
    out_of_scope: tuple[str, ...]
    open_questions: tuple[str, ...]


class CodeSpecification(Specification):
    """What is to be programmed."""

    files: tuple[SourceFile, ...]
    tests: tuple[SourceFile, ...]


@cost(RUN_COST)
class BusinessAnalystBlock(RoleBase):
    """Specifies; see the description given to the builder below."""

    class Input(BlockSchemaInput):
        """The pins on the left. One of brief and handoff is enough."""

        credentials: CredentialsMetaInput = openai_provider.credentials_field(
            description="Your OpenAI API key, or the key of whatever server the operator has put in its place."
        )
        handoff: dict[str, Any] = SchemaField(
            description="The Project Manager's `handoff`, or that of any role whose work is to be specified anew.",
            default_factory=dict,
            advanced=False,
        )
        brief: str = SchemaField(
            description="What is wanted, in your words. Replaces the brief of the handoff.",
            default="",
            placeholder="A page with a search box that finds the answer to a question.",
            advanced=False,
        )
        mode: Literal["chat", "code"] = SchemaField(
            description="code adds data schemas and test stubs as files, on a stronger model.",
            default="chat",
            advanced=True,
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

        requirements: list[dict[str, Any]] = SchemaField(
            description="id, story, priority (must, should, could) and acceptance_criteria (id, text) of each."
        )
        out_of_scope: list[str] = SchemaField(description="What is deliberately left out.")
        open_questions: list[str] = SchemaField(description="What people have to decide.")
        files: list[dict[str, Any]] = SchemaField(
            description="Schemas, in code mode: path, language, content and requirement_ids of each."
        )
        tests: list[dict[str, Any]] = SchemaField(description="Test stubs, in code mode, like `files`.")

    def __init__(self) -> None:
        super().__init__(
            id="5fa129cb-5393-416b-9f4c-643eec3a60a5",
            description="Business Analyst: turns a brief or a plan into requirements with acceptance criteria.",
            input_schema=BusinessAnalystBlock.Input,
            output_schema=BusinessAnalystBlock.Output,
            test_inputs={"chat": {"brief": "Greet visitors."}, "code": {"brief": "Greet visitors by a script."}},
            test_outputs={
                mode: (
                    ("response", lambda text: text.startswith("# Requirements") and "R1.1" in text),
                    ("requirements", [_TEST_REQUIREMENT.to_json()]),
                    ("out_of_scope", ["Farewells"]),
                    ("open_questions", []),
                    ("files", []),
                    ("tests", [stub.to_json() for stub in stubs]),
                    ("handoff", lambda handoff: handoff["requirements"] == [_TEST_REQUIREMENT.to_json()]),
                )
                for mode, stubs in _TEST_STUBS.items()
            },
            test_answer=lambda instructions: _test_answer(CODE_FOCUS in instructions),
        )

    def run(self, input_data: Input, *, credentials: APIKeyCredentials, **_: object) -> BlockOutput:
        """Yields the requirements."""
        return self.work(input_data, credentials, lambda: _assignment_of(input_data))


def _assignment_of(inputs: BusinessAnalystBlock.Input) -> Assignment[Specification]:
    known = read_handoff(inputs.handoff) or Handoff(role="business_analyst")
    work = known.model_copy(update={"brief": inputs.brief if inputs.brief.strip() else known.brief})
    if not work.brief.strip() and work.plan is None and not work.requirements:
        raise WorkError(
            "The Business Analyst has nothing to specify. Say in `brief` what is wanted, or link the Project Manager's "
            "`handoff` to `handoff`."
        )
    coding = inputs.mode == "code"
    return Assignment(
        instructions=f"{INSTRUCTIONS}\n\n{CODE_FOCUS if coding else CHAT_FOCUS}",
        task="Write the requirements for this work. Where there are requirements already, bring them up to date.",
        material=(
            Material("Brief", work.brief),
            parts_material("Plan", [work.plan] if work.plan else []),
            parts_material("Requirements so far", work.requirements),
            list_material("Out of scope so far", work.out_of_scope),
            *file_materials("File", (*work.files, *work.tests)),
        ),
        answer_name="specification",
        answer_type=CodeSpecification if coding else Specification,
        deliver=lambda specification: _delivery_of(specification, work),
    )


def _delivery_of(specification: Specification, work: Handoff) -> Delivery:
    if not specification.requirements:
        raise WorkError("The model named no requirement. Say more in `brief`, or choose a stronger model.")
    requirements, renamed = with_distinct_ids(specification.requirements)
    coded = specification if isinstance(specification, CodeSpecification) else None
    files, tests = (coded.files, coded.tests) if coded else ((), ())
    check_paths(files, tests)
    return Delivery(
        response=document(
            "Requirements",
            *(_described(requirement) for requirement in requirements),
            section("Out of scope", bullets(specification.out_of_scope)),
            section("Open questions", bullets(specification.open_questions)),
            *(section(code(file.path), fenced(file.content, file.language)) for file in (*files, *tests)),
        ),
        pins=(
            ("requirements", [requirement.to_json() for requirement in requirements]),
            ("out_of_scope", list(specification.out_of_scope)),
            ("open_questions", list(specification.open_questions)),
            ("files", [file.to_json() for file in files]),
            ("tests", [test.to_json() for test in tests]),
        ),
        handoff=work.model_copy(
            update={
                "role": "business_analyst",
                "requirements": requirements,
                "out_of_scope": specification.out_of_scope,
                "open_questions": specification.open_questions,
                # What exists already stays, unless the specification has newer schemas and stubs.
                "files": files or work.files,
                "tests": tests or work.tests,
            }
        ),
        notices=(*renamed, *(str(dangler) for dangler in dangling_ids(requirements, (*files, *tests)))),
    )


def _described(requirement: Requirement) -> str:
    criteria = bullets(f"**{criterion.id}** {criterion.text}" for criterion in requirement.acceptance_criteria)
    return section(f"{requirement.id} ({requirement.priority})", f"{prose(requirement.story)}\n\n{criteria}".rstrip())


_TEST_REQUIREMENT = Requirement(
    id="R1",
    story="A visitor is greeted, to feel welcome.",
    priority="must",
    acceptance_criteria=(AcceptanceCriterion(id="R1.1", text="The visitor reads Hello."),),
)
_TEST_STUBS: dict[Literal["chat", "code"], tuple[SourceFile, ...]] = {
    "chat": (),
    "code": (
        SourceFile(path="tests/test_hello.py", language="python", content="# says Hello\n", requirement_ids=("R1.1",)),
    ),
}


def _test_answer(coding: bool) -> Specification:
    requirements, out_of_scope = (_TEST_REQUIREMENT,), ("Farewells",)
    if not coding:
        return Specification(requirements=requirements, out_of_scope=out_of_scope, open_questions=())
    return CodeSpecification(
        requirements=requirements, out_of_scope=out_of_scope, open_questions=(), files=(), tests=_TEST_STUBS["code"]
    )
