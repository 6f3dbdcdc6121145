"""What the roles hand to each other: plan, requirements, files, findings, coverage, and the handoff that holds it all.

Docstrings and descriptions of the models that occur in answers go to the model with the schema. A default serves
people who write such an object by hand; models have to give every field (see `answer_schema`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from .paths import PathError, check_distinct, normalise_path

Id: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
"""Names a requirement or criterion. Short and plain, so that it can stand anywhere in a prompt or a table."""

ProjectPath: TypeAlias = Annotated[str, AfterValidator(normalise_path)]

Priority: TypeAlias = Literal["must", "should", "could"]

Severity: TypeAlias = Literal["blocker", "major", "minor", "nit"]

BLOCKING: frozenset[Severity] = frozenset({"blocker", "major"})
"""Severities that keep work from being approved."""

RoleName: TypeAlias = Literal["project_manager", "business_analyst", "developer", "reviewer"]

StopReason: TypeAlias = Literal["round_cap", "no_new_blocking_finding", "same_finding_twice"]
"""Why a loop of developer and reviewer ends without approval.

| value | |
|---|---|
| round_cap | the allowed number of revisions is used up |
| same_finding_twice | a blocking finding of the last round is still there |
| no_new_blocking_finding | all blocking findings are known from earlier rounds: the work goes in circles |
"""

HANDOFF_VERSION: Final = 1


class WorkError(ValueError):
    """Work that was handed in, or that a model made, breaks a rule. The message says which, and what to do."""


class WorkPart(BaseModel):
    """A piece of work; an unknown field in it is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def to_json(self) -> dict[str, JsonValue]:
        """As the value of a pin."""
        dumped: dict[str, JsonValue] = self.model_dump(mode="json")
        return dumped


class Goal(WorkPart):
    """What the project is to achieve."""

    goal: str
    measure: str = Field(description="How one can tell that it is achieved.")


class Milestone(WorkPart):
    """A point at which something can be shown."""

    name: str
    outcome: str = Field(description="What exists then that did not before.")
    due: str = Field(description="Date or time span; 'open' if the charter gives no ground for one.")


class Risk(WorkPart):
    """What may go wrong."""

    risk: str
    impact: Literal["high", "medium", "low"]
    mitigation: str


class ProjectPlan(WorkPart):
    """A project plan."""

    goals: tuple[Goal, ...]
    milestones: tuple[Milestone, ...]
    risks: tuple[Risk, ...]
    stakeholder_update: str = Field(description="A short message to the audience, ready to be sent.")
    open_questions: tuple[str, ...] = Field(description="What has to be answered by people; empty if nothing has.")


class AcceptanceCriterion(WorkPart):
    """One thing that can be checked."""

    id: Id = Field(description="The requirement's id, a dot and a number: R1.1.")
    text: str


class Requirement(WorkPart):
    """What somebody needs."""

    id: Id = Field(description="R and a number: R1.")
    story: str = Field(description="Who needs what, and what for.")
    priority: Priority = "must"
    acceptance_criteria: tuple[AcceptanceCriterion, ...] = ()


class SourceFile(WorkPart):
    """A whole file."""

    path: ProjectPath = Field(description="Relative to the project's folder, with forward slashes.")
    language: str = Field(default="", description="Such as python; text if none fits.")
    content: str
    requirement_ids: tuple[Id, ...] = Field(
        default=(), description="Ids of the criteria that the file serves, or of whole requirements."
    )


class Remark(WorkPart):
    """One problem in the work."""

    severity: Severity
    file: str | None = Field(default=None, description="Path of the file it is in; null if it is in none.")
    line: int | None = Field(default=None, description="Where in that file; null if nowhere in particular.")
    criterion_id: Id | None = Field(default=None, description="The criterion it breaks; null if none.")
    message: str = Field(description="What is wrong, in one sentence.")
    suggestion: str = Field(default="", description="What to do about it.")


class Finding(Remark):
    """A remark with an id that is unique over all rounds: F2.1 is the first of revision 2."""

    id: str


class CoverageClaim(WorkPart):
    """What fulfils a criterion."""

    criterion_id: Id
    files: tuple[str, ...] = Field(description="Paths of the files that fulfil it; empty if none does.")
    tests: tuple[str, ...] = Field(description="Paths of the tests that check it; empty if none does.")


class CoverageRow(WorkPart):
    """A criterion, and what of the work belongs to it."""

    criterion_id: str
    requirement_id: str | None
    """None if no requirement has such a criterion: the row shows a dangling id."""
    priority: Priority | None
    files: tuple[str, ...]
    tests: tuple[str, ...]
    findings: tuple[str, ...]
    covered: bool
    """A file fulfils it and, if the work has tests at all, a test checks it."""


class Round(WorkPart):
    """What the review of one revision found."""

    revision: int = Field(ge=1)
    findings: tuple[Finding, ...]


class Handoff(WorkPart):
    """All that the next role needs to know, whichever role that is."""

    handoff_version: Literal[1] = HANDOFF_VERSION
    role: RoleName
    """Who handed it over."""
    brief: str = ""
    plan: ProjectPlan | None = None
    requirements: tuple[Requirement, ...] = ()
    out_of_scope: tuple[str, ...] = ()
    open_questions: tuple[str, ...] = ()
    language: str = ""
    files: tuple[SourceFile, ...] = ()
    tests: tuple[SourceFile, ...] = ()
    commands: tuple[str, ...] = ()
    notes: str = ""
    test_output: str = ""
    findings: tuple[Finding, ...] = ()
    coverage: tuple[CoverageRow, ...] = ()
    revision: int = Field(default=0, ge=0)
    """How often the developer has handed in; 0 before the first time."""
    history: tuple[Round, ...] = ()
    """One entry for each review, oldest first."""


PartT = TypeVar("PartT", bound=WorkPart)


def read_handoff(data: Mapping[str, object]) -> Handoff | None:
    """The handoff in `data`; None if there is none.

    Raises:
        WorkError: it is not a handoff, or not one of this version; says where.
    """
    if not data:
        return None
    advice = "Link the `handoff` output of another role block to this input, or correct it there."
    version = data.get("handoff_version", HANDOFF_VERSION if "role" in data else None)
    if version is None:
        raise WorkError(f"The handoff is not the handoff of a role block: it has no handoff_version. {advice}")
    if version != HANDOFF_VERSION:
        raise WorkError(
            f"The handoff does not have version {HANDOFF_VERSION}, the only one this release reads. "
            "Run all role blocks of a workflow in the same release of chatgpt_codex."
        )
    try:
        handoff = Handoff.model_validate(data)
    except ValidationError as error:
        raise WorkError(f"The handoff cannot be read: {describe_faults(error)}. {advice}") from None
    check_paths(handoff.files, handoff.tests)
    return handoff


def read_parts(name: str, kind: type[PartT], data: Sequence[object]) -> tuple[PartT, ...]:
    """The list of parts that the input `name` holds.

    Raises:
        WorkError: an entry does not fit; says which.
    """
    try:
        return TypeAdapter(tuple[kind, ...]).validate_python(data)  # type: ignore[valid-type] # a type at run time
    except ValidationError as error:
        fields = ", ".join(kind.model_fields)
        raise WorkError(
            f"The input `{name}` cannot be read: {describe_faults(error)}. Each entry is an object with {fields}."
        ) from None


def check_paths(*groups: Iterable[SourceFile]) -> None:
    """Checks that all files can stand side by side.

    Raises:
        WorkError: two have the same path, or one would have to be the folder of another.
    """
    try:
        check_distinct(file.path for group in groups for file in group)
    except PathError as error:
        raise WorkError(str(error)) from None


def describe_faults(error: ValidationError) -> str:
    """The first fault and how many there are, without the values: those may be prompts."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in faults[0]["loc"]).lstrip(".")
    reason = faults[0]["msg"].removeprefix("Value error, ").rstrip(".")
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"at {place[:120]}: {reason}{more}" if place else f"{reason}{more}"
