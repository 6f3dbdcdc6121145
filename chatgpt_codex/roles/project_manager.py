"""ProjectManagerBlock: turns a charter into a plan."""

from typing import Literal

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
from .markdown import bullets, document, prose, section, table
from .material import Material
from .role import Assignment, Delivery, RoleBase, RoleOutput
from .work import Goal, Handoff, Milestone, ProjectPlan, Risk, WorkError

INSTRUCTIONS = (
    "You are an experienced project manager. Turn the charter into a plan that a small team can follow. "
    "Name only goals that the charter supports, each with a way to measure it; milestones in the order they are "
    "reached, each ending in something that can be shown; the risks that matter, with what to do about each. Invent no "
    "dates, budgets or people. What the charter leaves open goes to open_questions. Write stakeholder_update in the "
    "words of the audience, in at most 150 words."
)
CHAT_FOCUS = "The plan is read by people who decide: keep to business terms."
CODE_FOCUS = "The plan is for software: each milestone ends in running software, and the risks include technical ones."


@cost(RUN_COST)
class ProjectManagerBlock(RoleBase):
    """Plans; see the description given to the builder below."""

    class Input(BlockSchemaInput):
        """The pins on the left."""

        credentials: CredentialsMetaInput = openai_provider.credentials_field(
            description="Your OpenAI API key, or the key of whatever server the operator has put in its place."
        )
        charter: str = SchemaField(
            description="What the project is about: the need, the idea, what is known so far.",
            placeholder="Our support team answers the same ten questions every day. Build a page that answers them.",
        )
        constraints: str = SchemaField(
            description="What is fixed: dates, budget, technology, rules.", default="", advanced=False
        )
        audience: str = SchemaField(
            description="Whom the stakeholder update is for.", default="the project's sponsors", advanced=False
        )
        mode: Literal["chat", "code"] = SchemaField(
            description="chat plans for people who decide; code plans software, on a stronger model.",
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

        goals: list[dict[str, str]] = SchemaField(description="goal and measure of each.")
        milestones: list[dict[str, str]] = SchemaField(description="name, outcome and due of each, in order.")
        risks: list[dict[str, str]] = SchemaField(
            description="risk, impact (high, medium, low) and mitigation of each."
        )
        stakeholder_update: str = SchemaField(description="A short message to the audience, ready to be sent.")
        open_questions: list[str] = SchemaField(description="What people have to answer.")

    def __init__(self) -> None:
        super().__init__(
            id="54336845-026c-4790-8a83-d04356817073",
            description="Project Manager: turns a charter into goals, milestones, risks and a stakeholder update.",
            input_schema=ProjectManagerBlock.Input,
            output_schema=ProjectManagerBlock.Output,
            test_inputs={"chat": {"charter": "Greet visitors."}, "code": {"charter": "Greet visitors by a script."}},
            test_outputs={
                mode: (
                    ("response", lambda text: text.startswith("# Project plan") and "Greet everyone" in text),
                    ("goals", [_TEST_PLAN.goals[0].to_json()]),
                    ("milestones", [_TEST_PLAN.milestones[0].to_json()]),
                    ("risks", [_TEST_PLAN.risks[0].to_json()]),
                    ("stakeholder_update", "We will greet everyone."),
                    ("open_questions", ["In which languages?"]),
                    ("handoff", lambda handoff: handoff["plan"] == _TEST_PLAN.to_json()),
                )
                for mode in ("chat", "code")
            },
            test_answer=lambda _: _TEST_PLAN,
        )

    def run(self, input_data: Input, *, credentials: APIKeyCredentials, **_: object) -> BlockOutput:
        """Yields the plan."""
        return self.work(input_data, credentials, lambda: _assignment_of(input_data))


def _assignment_of(inputs: ProjectManagerBlock.Input) -> Assignment[ProjectPlan]:
    if not inputs.charter.strip():
        raise WorkError(
            "The Project Manager has no charter. Say in `charter` what the project is about, or link an output to it."
        )
    brief = inputs.charter if not inputs.constraints.strip() else f"{inputs.charter}\n\nFixed: {inputs.constraints}"
    return Assignment(
        instructions=f"{INSTRUCTIONS}\n\n{CODE_FOCUS if inputs.mode == 'code' else CHAT_FOCUS}",
        task="Plan the project of this charter.",
        material=(
            Material("Charter", inputs.charter),
            Material("Constraints", inputs.constraints),
            Material("Audience of the stakeholder update", inputs.audience),
        ),
        answer_name="project_plan",
        answer_type=ProjectPlan,
        deliver=lambda plan: _delivery_of(plan, brief),
    )


def _delivery_of(plan: ProjectPlan, brief: str) -> Delivery:
    return Delivery(
        response=document(
            "Project plan",
            prose(plan.stakeholder_update),
            section("Goals", table(("Goal", "Measure"), ((goal.goal, goal.measure) for goal in plan.goals))),
            section(
                "Milestones",
                table(
                    ("Milestone", "Outcome", "Due"), ((step.name, step.outcome, step.due) for step in plan.milestones)
                ),
            ),
            section(
                "Risks",
                table(
                    ("Risk", "Impact", "Mitigation"), ((risk.risk, risk.impact, risk.mitigation) for risk in plan.risks)
                ),
            ),
            section("Open questions", bullets(plan.open_questions)),
        ),
        pins=(
            ("goals", [goal.to_json() for goal in plan.goals]),
            ("milestones", [milestone.to_json() for milestone in plan.milestones]),
            ("risks", [risk.to_json() for risk in plan.risks]),
            ("stakeholder_update", plan.stakeholder_update),
            ("open_questions", list(plan.open_questions)),
        ),
        handoff=Handoff(role="project_manager", brief=brief, plan=plan, open_questions=plan.open_questions),
    )


_TEST_PLAN = ProjectPlan(
    goals=(Goal(goal="Greet everyone", measure="Nobody leaves ungreeted"),),
    milestones=(Milestone(name="First greeting", outcome="One visitor is greeted", due="open"),),
    risks=(Risk(risk="Nobody comes", impact="low", mitigation="Open the door"),),
    stakeholder_update="We will greet everyone.",
    open_questions=("In which languages?",),
)
