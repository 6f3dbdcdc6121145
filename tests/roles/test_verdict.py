"""The verdict table: what a review comes to, case by case, and what holds for every review."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatgpt_codex.roles.reviewer import Review, _delivery_of
from chatgpt_codex.roles.tracing import criteria_of
from chatgpt_codex.roles.verdict import Decision, judge, stop_of
from chatgpt_codex.roles.work import (
    BLOCKING,
    AcceptanceCriterion,
    CoverageClaim,
    Finding,
    Handoff,
    Priority,
    Remark,
    Requirement,
    Round,
    Severity,
    SourceFile,
    StopReason,
)


def _requirement(identifier: str, priority: Priority = "must", criteria: int = 1) -> Requirement:
    return Requirement(
        id=identifier,
        story="Somebody needs something.",
        priority=priority,
        acceptance_criteria=tuple(
            AcceptanceCriterion(id=f"{identifier}.{number}", text="It works.") for number in range(1, criteria + 1)
        ),
    )


def _file(path: str, *ids: str) -> SourceFile:
    return SourceFile(path=path, content="x", requirement_ids=ids)


def _claim(criterion: str, files: Sequence[str] = ("a.py",), tests: Sequence[str] = ()) -> CoverageClaim:
    return CoverageClaim(criterion_id=criterion, files=tuple(files), tests=tuple(tests))


def _remark(severity: Severity, message: str = "It is wrong.", **place: str) -> Remark:
    return Remark(severity=severity, message=message, file=place.get("file"), criterion_id=place.get("criterion"))


@dataclass(frozen=True, kw_only=True)
class Case:
    decision: Decision
    requirements: tuple[Requirement, ...] = (_requirement("R1"),)
    files: tuple[SourceFile, ...] = (_file("a.py"),)
    tests: tuple[SourceFile, ...] = ()
    remarks: tuple[Remark, ...] = ()
    claims: tuple[CoverageClaim, ...] = (_claim("R1.1"),)
    computed: tuple[str, ...] = ()
    """Messages of the findings that the reviewer did not write."""
    notices: tuple[str, ...] = ()
    covered: str = "R1.1"
    """Ids of the covered criteria."""


_TEST = (_file("test_a.py"),)
_NO_FILE = "No file of the work fulfils R1.1."
_NO_TEST = "No test of the work checks R1.1."
_SILENT = "The review does not say what fulfils R1.1, so it counts as not covered."

CASES = {
    "nothing found, all covered": Case(decision="approved"),
    "a nit": Case(decision="approved", remarks=(_remark("nit"),)),
    "a minor": Case(decision="approved", remarks=(_remark("minor"),)),
    "many minors and nits": Case(decision="approved", remarks=(_remark("minor"), _remark("nit")) * 20),
    "a major": Case(decision="changes", remarks=(_remark("major"),)),
    "a blocker": Case(decision="changes", remarks=(_remark("blocker"),)),
    "a blocker among nits": Case(decision="changes", remarks=(_remark("nit"), _remark("blocker"), _remark("nit"))),
    "prose that approves does not": Case(decision="changes", remarks=(_remark("major", "LGTM, approved!"),)),
    "prose that rejects does not": Case(decision="approved", remarks=(_remark("nit", "REJECTED, blocker!"),)),
    "a blocker about no file and no criterion": Case(decision="changes", remarks=(_remark("blocker"),)),
    "a must that no file fulfils": Case(
        decision="changes", claims=(_claim("R1.1", []),), computed=(_NO_FILE,), covered=""
    ),
    "a should that no file fulfils": Case(
        decision="approved",
        requirements=(_requirement("R1", "should"),),
        claims=(_claim("R1.1", []),),
        computed=(_NO_FILE,),
        covered="",
    ),
    "a could that no file fulfils": Case(
        decision="approved",
        requirements=(_requirement("R1", "could"),),
        claims=(_claim("R1.1", []),),
        computed=(_NO_FILE,),
        covered="",
    ),
    "a must that the review is silent on": Case(
        decision="changes", claims=(), computed=(_NO_FILE,), notices=(_SILENT,), covered=""
    ),
    "the developer's claim alone is not coverage": Case(
        decision="changes",
        files=(_file("a.py", "R1.1"),),
        claims=(),
        computed=(_NO_FILE,),
        notices=(_SILENT,),
        covered="",
    ),
    "one of two criteria of a must": Case(
        decision="changes",
        requirements=(_requirement("R1", criteria=2),),
        claims=(_claim("R1.1"), _claim("R1.2", [])),
        computed=("No file of the work fulfils R1.2.",),
    ),
    "both criteria of a must": Case(
        decision="approved",
        requirements=(_requirement("R1", criteria=2),),
        claims=(_claim("R1.1"), _claim("R1.2")),
        covered="R1.1 R1.2",
    ),
    "a must covered, a could not": Case(
        decision="approved",
        requirements=(_requirement("R1"), _requirement("R2", "could")),
        claims=(_claim("R1.1"), _claim("R2.1", [])),
        computed=("No file of the work fulfils R2.1.",),
    ),
    "a could covered, a must not": Case(
        decision="changes",
        requirements=(_requirement("R1"), _requirement("R2", "could")),
        claims=(_claim("R2.1"), _claim("R1.1", [])),
        computed=(_NO_FILE,),
        covered="R2.1",
    ),
    "tests exist, and none checks a must": Case(decision="changes", tests=_TEST, computed=(_NO_TEST,), covered=""),
    "tests exist, and none checks a should": Case(
        decision="approved",
        requirements=(_requirement("R1", "should"),),
        tests=_TEST,
        computed=(_NO_TEST,),
        covered="",
    ),
    "tests exist, and one checks the must": Case(
        decision="approved", tests=_TEST, claims=(_claim("R1.1", ["a.py"], ["test_a.py"]),)
    ),
    "tests check it, but no file does it": Case(
        decision="changes", tests=_TEST, claims=(_claim("R1.1", [], ["test_a.py"]),), computed=(_NO_FILE,), covered=""
    ),
    "no tests at all, and none asked for": Case(decision="approved", claims=(_claim("R1.1", ["a.py"], []),)),
    "a test named in the list of files is still a test": Case(
        decision="approved", tests=_TEST, claims=(_claim("R1.1", ["a.py", "test_a.py"]),)
    ),
    "a test named as the file that does it": Case(
        decision="changes", tests=_TEST, claims=(_claim("R1.1", ["test_a.py"]),), computed=(_NO_FILE,), covered=""
    ),
    "a path spelled another way": Case(decision="approved", claims=(_claim("R1.1", ["./A.PY"]),)),
    "a file that the work does not have": Case(
        decision="changes",
        claims=(_claim("R1.1", ["b.py"]),),
        computed=(_NO_FILE,),
        notices=("The review names 'b.py' for R1.1, but the work has no such file.",),
        covered="",
    ),
    "one file that exists beside one that does not": Case(
        decision="approved",
        claims=(_claim("R1.1", ["a.py", "b.py"]),),
        notices=("The review names 'b.py' for R1.1, but the work has no such file.",),
    ),
    "coverage of a criterion that nobody asked for": Case(
        decision="approved",
        claims=(_claim("R1.1"), _claim("R7.1")),
        notices=("The review covers R7.1, but no criterion has this id.",),
    ),
    "coverage by requirement instead of criterion": Case(
        decision="approved",
        requirements=(_requirement("R1", criteria=2),),
        claims=(_claim("R1"),),
        covered="R1.1 R1.2",
    ),
    "two rows for one criterion add up": Case(
        decision="approved",
        tests=_TEST,
        claims=(_claim("R1.1", ["a.py"]), _claim("R1.1", [], ["test_a.py"])),
    ),
    "a requirement without criteria": Case(
        decision="approved", requirements=(Requirement(id="R1", story="x"),), claims=(_claim("R1"),), covered="R1"
    ),
    "a requirement without criteria, not covered": Case(
        decision="changes",
        requirements=(Requirement(id="R1", story="x"),),
        claims=(_claim("R1", []),),
        computed=("No file of the work fulfils R1.",),
        covered="",
    ),
    "a blocking remark on the criterion says it already": Case(
        decision="changes", claims=(_claim("R1.1", []),), remarks=(_remark("major", criterion="R1.1"),), covered=""
    ),
    "a blocking remark on the whole requirement says it already": Case(
        decision="changes", claims=(_claim("R1.1", []),), remarks=(_remark("blocker", criterion="R1"),), covered=""
    ),
    "a nit on the criterion does not": Case(
        decision="changes",
        claims=(_claim("R1.1", []),),
        remarks=(_remark("nit", criterion="R1.1"),),
        computed=(_NO_FILE,),
        covered="",
    ),
    "a remark on a criterion that nobody asked for": Case(
        decision="changes",
        remarks=(_remark("major", criterion="R9.9"),),
        notices=("Finding F2.1 names R9.9, but no criterion has this id.",),
    ),
    "a remark on a file that the work does not have": Case(
        decision="approved",
        remarks=(_remark("nit", file="b.py"),),
        notices=("Finding F2.1 names 'b.py', but the work has no such file.",),
    ),
    "a file that names a requirement nobody has": Case(
        decision="approved",
        files=(_file("a.py", "R1.1", "R8"),),
        computed=("a.py names R8, but no requirement or criterion has this id.",),
        notices=("a.py names R8, but no requirement or criterion has this id.",),
    ),
    "a file that names a requirement nobody has, as the reviewer says, too": Case(
        decision="approved",
        files=(_file("a.py", "R1.1", "R8"),),
        remarks=(_remark("nit", "a.py names R8, but no requirement or criterion has this id.", file="a.py"),),
        notices=("a.py names R8, but no requirement or criterion has this id.",),
    ),
    "not covered, as the reviewer says, too, but lightly": Case(
        decision="changes",
        claims=(_claim("R1.1", []),),
        remarks=(_remark("nit", _NO_FILE, criterion="R1.1"),),
        computed=(_NO_FILE,),
        covered="",
    ),
    "a test that names a criterion nobody has": Case(
        decision="approved",
        tests=(_file("test_a.py", "R1.8"),),
        claims=(_claim("R1.1", ["a.py"], ["test_a.py"]),),
        computed=("test_a.py names R1.8, but no requirement or criterion has this id.",),
        notices=("test_a.py names R1.8, but no requirement or criterion has this id.",),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_verdict(case: Case) -> None:
    work = Handoff(role="developer", requirements=case.requirements, files=case.files, tests=case.tests, revision=2)
    judgement = judge(work, remarks=case.remarks, claims=case.claims, max_revisions=5)
    assert judgement.decision == case.decision
    assert tuple(found.message for found in judgement.findings[len(case.remarks) :]) == case.computed
    assert judgement.notices == case.notices
    assert " ".join(row.criterion_id for row in judgement.coverage if row.covered) == case.covered
    assert [found.id for found in judgement.findings] == [f"F2.{n}" for n in range(1, len(judgement.findings) + 1)]
    assert judgement.stop is None


def test_coverage_row_holds_all_that_belongs_to_the_criterion() -> None:
    work = Handoff(
        role="developer",
        requirements=(_requirement("R1", criteria=2),),
        files=(_file("a.py"), _file("b.py")),
        tests=_TEST,
        revision=1,
    )
    judgement = judge(
        work,
        remarks=[_remark("nit", criterion="R1.1"), _remark("major", criterion="R1"), _remark("minor", criterion="R5")],
        claims=[_claim("R1.1", ["b.py", "a.py"], ["test_a.py"])],
        max_revisions=3,
    )
    assert [row.to_json() for row in judgement.coverage] == [
        {
            "criterion_id": "R1.1",
            "requirement_id": "R1",
            "priority": "must",
            "files": ["a.py", "b.py"],
            "tests": ["test_a.py"],
            "findings": ["F1.1", "F1.2"],
            "covered": True,
        },
        {
            "criterion_id": "R1.2",
            "requirement_id": "R1",
            "priority": "must",
            "files": [],
            "tests": [],
            "findings": ["F1.2"],
            "covered": False,
        },
        {
            "criterion_id": "R5",
            "requirement_id": None,
            "priority": None,
            "files": [],
            "tests": [],
            "findings": ["F1.3"],
            "covered": False,
        },
    ]


_IDS = st.sampled_from(["R1", "R1.1", "R1.2", "R2.1", "R9"])
_PATHS = st.sampled_from(["a.py", "b.py", "test_a.py", "nowhere.py"])
_REMARKS = st.builds(
    Remark,
    severity=st.sampled_from(["blocker", "major", "minor", "nit"]),
    file=st.none() | _PATHS,
    criterion_id=st.none() | _IDS,
    message=st.sampled_from(["It fails.", "It is slow.", "It is ugly."]),
)
_CLAIMS = st.builds(
    CoverageClaim,
    criterion_id=_IDS,
    files=st.lists(_PATHS, max_size=2).map(tuple),
    tests=st.lists(_PATHS, max_size=2).map(tuple),
)
_WORK = st.builds(
    Handoff,
    role=st.just("developer"),
    requirements=st.builds(
        lambda first, second: (_requirement("R1", first, 2), _requirement("R2", second)),
        st.sampled_from(["must", "should", "could"]),
        st.sampled_from(["must", "should", "could"]),
    ),
    files=st.just((_file("a.py", "R1"), _file("b.py", "R9"))),
    tests=st.sampled_from([(), _TEST]),
    revision=st.integers(1, 4),
)
_REVIEWS = st.tuples(st.lists(_REMARKS, max_size=4), st.lists(_CLAIMS, max_size=4))


@settings(deadline=None)
@given(_WORK, _REVIEWS)
def test_changes_exactly_if_something_blocks_or_a_must_is_uncovered(
    work: Handoff, review: tuple[list[Remark], list[CoverageClaim]]
) -> None:
    remarks, claims = review
    judgement = judge(work, remarks=remarks, claims=claims, max_revisions=9)
    blocked = any(remark.severity in BLOCKING for remark in remarks)
    uncovered = any(row.priority == "must" and not row.covered for row in judgement.coverage)
    assert (judgement.decision == "changes") == (blocked or uncovered)


@settings(deadline=None)
@given(_WORK, _REVIEWS)
def test_nothing_of_a_review_is_lost(work: Handoff, review: tuple[list[Remark], list[CoverageClaim]]) -> None:
    remarks, claims = review
    judgement = judge(work, remarks=remarks, claims=claims, max_revisions=9)
    assert [Remark(**found.model_dump(exclude={"id"})) for found in judgement.findings[: len(remarks)]] == remarks
    assert len({found.id for found in judgement.findings}) == len(judgement.findings)
    rows = {row.criterion_id: row for row in judgement.coverage}
    assert len(rows) == len(judgement.coverage)
    assert list(rows)[:3] == [criterion.id for criterion in criteria_of(work.requirements)]
    for found in judgement.findings:
        assert found.criterion_id is None or any(found.id in row.findings for row in rows.values())
    if any(claim.criterion_id == "R9" for claim in claims):
        assert "The review covers R9, but no criterion has this id." in judgement.notices
    assert "b.py names R9, but no requirement or criterion has this id." in judgement.notices


@settings(deadline=None)
@given(_WORK, _REVIEWS, st.integers(1, 5), st.lists(st.lists(_REMARKS, max_size=2), max_size=3))
def test_work_goes_exactly_one_way(
    work: Handoff, review: tuple[list[Remark], list[CoverageClaim]], cap: int, past: list[list[Remark]]
) -> None:
    history = tuple(
        Round(revision=number, findings=tuple(Finding(id=f"F{number}.1", **one.model_dump()) for one in remarks))
        for number, remarks in enumerate(past, start=1)
    )
    work = work.model_copy(update={"history": history})
    remarks, claims = review
    answer = Review(findings=tuple(remarks), coverage=tuple(claims), summary="approved!")
    pins = dict(_delivery_of(answer, work, cap).pins)
    (way,) = {"approved_work", "changes_requested", "stopped"} & pins.keys()
    assert (way == "approved_work") == (pins["verdict"] == "approved")
    assert way != "changes_requested" or work.revision < cap


@settings(deadline=None)
@given(_WORK, st.lists(_REVIEWS, min_size=8, max_size=8), st.integers(1, 6))
def test_every_loop_ends_within_the_cap_whatever_the_reviewer_says(
    work: Handoff, reviews: list[tuple[list[Remark], list[CoverageClaim]]], cap: int
) -> None:
    work = work.model_copy(update={"revision": 1})
    for number, (remarks, claims) in enumerate(reviews, start=1):
        judgement = judge(work, remarks=remarks, claims=claims, max_revisions=cap)
        if judgement.decision == "approved" or judgement.stop:
            assert not (judgement.decision == "approved" and judgement.stop)
            return
        assert number < cap
        past = Round(revision=work.revision, findings=judgement.findings)
        work = work.model_copy(update={"revision": work.revision + 1, "history": (*work.history, past)})
    raise AssertionError("the loop outlived its cap")


def _round(revision: int, *findings: Finding) -> Round:
    return Round(revision=revision, findings=findings)


def _finding(
    message: str, severity: Severity = "major", file: str | None = None, criterion: str | None = "R1.1"
) -> Finding:
    return Finding(id="F1.1", severity=severity, message=message, file=file, criterion_id=criterion)


_A, _B, _C = _finding("A fails."), _finding("B fails."), _finding("C fails.")

STOPS: dict[str, tuple[list[Finding], list[Round], int, StopReason | None]] = {
    "first round": ([_A], [], 1, None),
    "a new finding in place of the old": ([_B], [_round(1, _A)], 2, None),
    "the same finding": ([_A], [_round(1, _A)], 2, "same_finding_twice"),
    "the same finding beside a new one": ([_B, _A], [_round(1, _A)], 2, "same_finding_twice"),
    "one of two mended": ([_A], [_round(1, _A, _B)], 2, "same_finding_twice"),
    "worded with other marks and case": ([_finding("a  FAILS")], [_round(1, _A)], 2, "same_finding_twice"),
    "on another line": (
        [_finding("Line 9 fails.")],
        [_round(1, _finding("Lines 3-5 fails."))],
        2,
        "same_finding_twice",
    ),
    "with other numbers": ([_finding("Gives 4, not 5.")], [_round(1, _finding("Gives 3, not 5."))], 2, None),
    "in another file": ([_finding("X.", file="a.py")], [_round(1, _finding("X.", file="b.py"))], 2, None),
    "in the same file spelled another way": (
        [_finding("X.", file="./A.py")],
        [_round(1, _finding("X.", file="a.py"))],
        2,
        "same_finding_twice",
    ),
    "on another criterion": ([_finding("X.", criterion="R2")], [_round(1, _finding("X.", criterion=None))], 2, None),
    "a nit twice": ([_finding("N.", "nit"), _B], [_round(1, _finding("N.", "nit"), _A)], 2, None),
    "a nit that has become a major": ([_A], [_round(1, _finding("A fails.", "nit"))], 2, None),
    "from major to blocker": ([_finding("A fails.", "blocker")], [_round(1, _A)], 2, "same_finding_twice"),
    "back again after a round": ([_A], [_round(1, _A), _round(2, _B)], 3, "no_new_blocking_finding"),
    "two back again from different rounds": (
        [_A, _B],
        [_round(1, _A), _round(2, _B), _round(3, _C)],
        4,
        "no_new_blocking_finding",
    ),
    "one back again beside a new one": ([_A, _C], [_round(1, _A), _round(2, _B)], 3, None),
    "the cap": ([_C], [_round(1, _A), _round(2, _B)], 5, "round_cap"),
    "past the cap": ([_C], [], 9, "round_cap"),
    "the cap and the same finding": ([_A], [_round(4, _A)], 5, "same_finding_twice"),
    "the same revision reviewed once more": ([_A], [_round(2, _A)], 2, None),
}


@pytest.mark.parametrize(("now", "history", "revision", "reason"), STOPS.values(), ids=STOPS.keys())
def test_end_of_the_loop(now: list[Finding], history: list[Round], revision: int, reason: StopReason | None) -> None:
    stop = stop_of(revision, now, history, max_revisions=5)
    assert (stop.reason if stop else None) == reason


def test_each_stop_says_what_to_do() -> None:
    repeated = stop_of(2, [_A.model_copy(update={"id": "F2.3"}), _B], [_round(1, _A, _B)], 5)
    circling = stop_of(3, [_A], [_round(1, _A), _round(2, _B)], 5)
    capped = stop_of(5, [_A], [], 5)
    assert repeated
    assert circling
    assert capped
    assert repeated.explanation == (
        "Finding F2.3 (and 1 more) was there in the round before and has not been mended. "
        "Mend it by hand, or make its requirement clearer, then go on from the partial work."
    )
    assert circling.explanation.startswith("Every blocking finding is known from an earlier round: the work goes in ")
    assert capped.explanation == (
        "Revision 5 of at most 5 is not good enough yet. Raise max_revisions, or go on from the partial work by hand."
    )
