"""ReviewerBlock: checks work against its requirements and sends it on, back, or to the end of the loop."""

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
from .markdown import code, document, prose, section, table
from .material import Material, file_materials, list_material, parts_material
from .role import Assignment, Delivery, Pin, RoleBase, RoleOutput
from .tracing import with_distinct_ids
from .verdict import Judgement, judge
from .work import (
    BLOCKING,
    CoverageClaim,
    CoverageRow,
    Finding,
    Handoff,
    Remark,
    Requirement,
    Round,
    SourceFile,
    WorkError,
    WorkPart,
    check_paths,
    read_handoff,
    read_parts,
)

INSTRUCTIONS = (
    "You are a strict and fair reviewer. Check the files and tests against every acceptance criterion. A finding is a "
    "real problem that you can point to, said in one sentence, with file and line where it is in one, the criterion it "
    "breaks, and a suggestion. Severity: blocker (it does not work, loses data or is unsafe), major (a criterion is "
    "not met), minor (met, but poorly), nit (taste). Report no praise and no guesses.\n"
    "coverage has exactly one row for each criterion id: the files that really fulfil it, whatever their "
    "requirement_ids claim, and the tests that really check it; empty lists where there are none.\n"
    "Whether the work is accepted is computed from findings and coverage, so do not soften or harden them for effect. "
    "If a finding of the last review still stands, repeat it with the same words, file and criterion_id. The developer "
    "may have said in notes why a finding is wrong: judge that on its merits. summary says in two or three "
    "sentences how good the work is."
)
CHAT_FOCUS = "The work is texts: check what they say, not how a program would run."
CODE_FOCUS = (
    "The work is software: think through how it runs, also on unusual input, and believe test output over code."
)


class Review(WorkPart):
    """What a reviewer says of the work."""

    findings: tuple[Remark, ...]
    coverage: tuple[CoverageClaim, ...]
    summary: str


@cost(RUN_COST)
class ReviewerBlock(RoleBase):
    """Reviews; see the description given to the builder below."""

    class Input(BlockSchemaInput):
        """The pins on the left. The handoff alone is enough; each other input replaces what it says."""

        credentials: CredentialsMetaInput = openai_provider.credentials_field(
            description="Your OpenAI API key, or the key of whatever server the operator has put in its place."
        )
        handoff: dict[str, Any] = SchemaField(
            description="The Developer's `handoff`.", default_factory=dict, advanced=False
        )
        requirements: list[dict[str, Any]] = SchemaField(
            description="id, story, priority and acceptance_criteria of each. Replaces those of the handoff.",
            default_factory=list,
            advanced=False,
        )
        files: list[dict[str, Any]] = SchemaField(
            description="The files to review: path and content of each. Replaces those of the handoff.",
            default_factory=list,
            advanced=False,
        )
        tests: list[dict[str, Any]] = SchemaField(
            description="Their tests, like `files`. Replaces those of the handoff.",
            default_factory=list,
            advanced=False,
        )
        test_output: str = SchemaField(
            description="What the tests printed when they were run, if they were.", default="", advanced=False
        )
        max_revisions: int = SchemaField(
            description="How often the Developer may hand in before the loop ends on `stopped`.",
            default=3,
            ge=1,
            le=20,
            advanced=False,
        )
        mode: Literal["chat", "code"] = SchemaField(
            description="code reviews software, on a stronger model; chat reviews texts.", default="code", advanced=True
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
        """The pins on the right: exactly one of approved_work, changes_requested and stopped gets a value."""

        findings: list[dict[str, Any]] = SchemaField(
            description="id, severity (blocker, major, minor, nit), file, line, criterion_id, message and suggestion."
        )
        coverage: list[dict[str, Any]] = SchemaField(
            description="A row for each criterion: files that fulfil it, tests that check it, findings on it, covered."
        )
        verdict: str = SchemaField(
            description="approved, or changes: computed from findings and coverage. Changes are due to any blocker or "
            "major finding, and to any must-have criterion that is not covered."
        )
        approved_work: dict[str, Any] = SchemaField(description="The work, if it is approved.")
        changes_requested: dict[str, Any] = SchemaField(
            description="The work and what is wrong with it: link it to the Developer's `handoff`."
        )
        stopped: dict[str, Any] = SchemaField(
            description="Why the loop ends without approval (reason, explanation), and the partial_work: round_cap, "
            "same_finding_twice or no_new_blocking_finding."
        )

    def __init__(self) -> None:
        super().__init__(
            id="913f9221-98f0-49cd-b22b-84368e045a23",
            description="Reviewer: checks work against its requirements; approves it, sends it back, or ends the loop.",
            input_schema=ReviewerBlock.Input,
            output_schema=ReviewerBlock.Output,
            test_inputs={
                mode: {
                    "requirements": [{"id": "R1", "story": "A visitor is greeted."}],
                    "files": [{"path": "hello.py", "content": "print('Hello')\n"}],
                }
                for mode in ("chat", "code")
            },
            test_outputs={
                mode: (
                    ("response", lambda text: text.startswith("# Review of revision 1: approved")),
                    ("findings", lambda findings: [finding["id"] for finding in findings] == ["F1.1"]),
                    ("coverage", lambda rows: [row["covered"] for row in rows] == [True]),
                    ("verdict", "approved"),
                    ("approved_work", lambda work: work["files"][0]["path"] == "hello.py"),
                    ("handoff", lambda handoff: len(handoff["history"]) == 1),
                )
                for mode in ("chat", "code")
            },
            test_answer=lambda _: _TEST_REVIEW,
        )

    def run(self, input_data: Input, *, credentials: APIKeyCredentials, **_: object) -> BlockOutput:
        """Yields the findings and the verdict, and sends the work on."""
        return self.work(input_data, credentials, lambda: _assignment_of(input_data))


def _assignment_of(inputs: ReviewerBlock.Input) -> Assignment[Review]:
    known = read_handoff(inputs.handoff) or Handoff(role="reviewer")
    given = read_parts("requirements", Requirement, inputs.requirements)
    requirements, renamed = with_distinct_ids(given or known.requirements)
    work = known.model_copy(
        update={
            "requirements": requirements,
            "files": read_parts("files", SourceFile, inputs.files) or known.files,
            "tests": read_parts("tests", SourceFile, inputs.tests) or known.tests,
            "test_output": inputs.test_output if inputs.test_output.strip() else known.test_output,
            # Work that no Developer block has made counts as a first version.
            "revision": max(known.revision, 1),
        }
    )
    check_paths(work.files, work.tests)
    if not work.requirements:
        raise WorkError(
            "The Reviewer has no requirements to check against. Link the Developer's `handoff` to `handoff`, or give "
            "`requirements`."
        )
    if not work.files:
        raise WorkError(
            "The Reviewer has no files to review. Link the Developer's `handoff` to `handoff`, or give `files`."
        )
    return Assignment(
        instructions=f"{INSTRUCTIONS}\n\n{CODE_FOCUS if inputs.mode == 'code' else CHAT_FOCUS}",
        task=f"Review revision {work.revision} of this work.",
        material=(
            Material("Brief", work.brief),
            parts_material("Requirements", work.requirements),
            list_material("Out of scope", work.out_of_scope),
            Material("The developer's notes", work.notes),
            parts_material("Findings of the last review", work.history[-1].findings if work.history else ()),
            *file_materials("File", work.files),
            *file_materials("Test", work.tests),
            Material("Output of the tests", work.test_output),
        ),
        answer_name="review",
        answer_type=Review,
        deliver=lambda review: _delivery_of(review, work, inputs.max_revisions),
        notices=renamed,
    )


def _delivery_of(review: Review, work: Handoff, max_revisions: int) -> Delivery:
    judgement = judge(work, remarks=review.findings, claims=review.coverage, max_revisions=max_revisions)
    handoff = work.model_copy(
        update={
            "role": "reviewer",
            "findings": judgement.findings,
            "coverage": judgement.coverage,
            "history": (*work.history, Round(revision=work.revision, findings=judgement.findings)),
        }
    )
    return Delivery(
        response=_response_of(review, judgement, work.revision),
        pins=(
            ("findings", [finding.to_json() for finding in judgement.findings]),
            ("coverage", [row.to_json() for row in judgement.coverage]),
            ("verdict", judgement.decision),
            _way_on(judgement, handoff),
        ),
        handoff=handoff,
        notices=judgement.notices,
    )


def _way_on(judgement: Judgement, handoff: Handoff) -> Pin:
    if judgement.decision == "approved":
        return "approved_work", handoff.to_json()
    if judgement.stop is None:
        return "changes_requested", handoff.to_json()
    return "stopped", {
        "reason": judgement.stop.reason,
        "explanation": judgement.stop.explanation,
        "partial_work": handoff.to_json(),
    }


def _response_of(review: Review, judgement: Judgement, revision: int) -> str:
    outcome = "approved" if judgement.decision == "approved" else "changes requested"
    return document(
        f"Review of revision {revision}: {'stopped' if judgement.stop else outcome}",
        judgement.stop.explanation if judgement.stop else "",
        _reason_of(judgement),
        prose(review.summary),
        section(
            "Findings",
            table(
                ("Id", "Severity", "Where", "Criterion", "Finding", "Suggestion"),
                (
                    (found.id, found.severity, _place_of(found), found.criterion_id, found.message, found.suggestion)
                    for found in judgement.findings
                ),
            ),
        ),
        section(
            "Coverage",
            table(
                ("Criterion", "Priority", "Files", "Tests", "Findings", "Covered"),
                (_cells_of(row) for row in judgement.coverage),
            ),
        ),
    )


def _reason_of(judgement: Judgement) -> str:
    blocking = [finding.id for finding in judgement.findings if finding.severity in BLOCKING]
    return f"Must change: {', '.join(blocking)}." if blocking else "No finding stands in the way."


def _place_of(finding: Finding) -> str:
    if not finding.file:
        return ""
    return code(f"{finding.file}:{finding.line}" if finding.line is not None else finding.file)


def _cells_of(row: CoverageRow) -> tuple[object, ...]:
    covered = "yes" if row.covered else "unknown id" if row.requirement_id is None else "no"
    return (
        row.criterion_id,
        row.priority,
        ", ".join(map(code, row.files)),
        ", ".join(map(code, row.tests)),
        ", ".join(row.findings),
        covered,
    )


_TEST_REVIEW = Review(
    findings=(Remark(severity="nit", file="hello.py", line=1, message="No full stop.", suggestion="Add one."),),
    coverage=(CoverageClaim(criterion_id="R1", files=("hello.py",), tests=()),),
    summary="It greets.",
)
