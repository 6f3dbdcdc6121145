"""Judges a review: coverage, verdict and the end of the loop, computed from typed findings and never from prose.

remarks, claims (the model's)  ->  coverage, findings  ->  decision  ->  stop, if the loop must end
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .paths import path_key
from .tracing import Criterion, criteria_named, criteria_of, dangling_ids
from .work import (
    BLOCKING,
    CoverageClaim,
    CoverageRow,
    Finding,
    Handoff,
    Priority,
    Remark,
    Round,
    Severity,
    StopReason,
)

Decision: TypeAlias = Literal["approved", "changes"]

_UNCOVERED: Mapping[Priority, Severity] = {"must": "major", "should": "minor", "could": "nit"}
"""How grave it is when a criterion of that priority is not covered."""

_LINE_NUMBERS = re.compile(r"\blines?\s+\d+(\s*[-\u2013]\s*\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Why the loop ends without approval."""

    reason: StopReason
    explanation: str
    """One sentence for people, with what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a review comes to."""

    decision: Decision
    findings: tuple[Finding, ...]
    """The reviewer's remarks, and what was computed beside them, with ids."""
    coverage: tuple[CoverageRow, ...]
    """One row a criterion, in the order of the requirements; then one for each id that dangles."""
    notices: tuple[str, ...]
    """What in the review or the work leads nowhere."""
    stop: Stop | None
    """None if the work is approved, or worth another round."""


def judge(
    work: Handoff, *, remarks: Sequence[Remark], claims: Sequence[CoverageClaim], max_revisions: int
) -> Judgement:
    """Judges the review of `work`.

    Args:
        work: what was reviewed; its `revision` counts from 1 and its `history` holds the earlier rounds.
        remarks: what the reviewer found.
        claims: what the reviewer says fulfils each criterion. A criterion it does not speak of is not covered.
        max_revisions: how often the developer may hand in.
    """
    criteria = criteria_of(work.requirements)
    evidence, notices = _evidence_of(claims, criteria, work)
    notices = (*notices, *_dangling_remarks(remarks, criteria, work))
    dangling = dangling_ids(work.requirements, (*work.files, *work.tests))
    found = (*remarks, *_uncovered(evidence, remarks, criteria, work), *_misnamed(work, remarks))
    findings = tuple(
        Finding(id=f"F{work.revision}.{number}", **remark.model_dump()) for number, remark in enumerate(found, start=1)
    )
    coverage = (
        *(_row(criterion, evidence[criterion.id], findings, criteria, work) for criterion in criteria),
        *_dangling_rows(claims, findings, criteria),
    )
    decision: Decision = "changes" if any(finding.severity in BLOCKING for finding in findings) else "approved"
    stop = None if decision == "approved" else stop_of(work.revision, findings, work.history, max_revisions)
    return Judgement(
        decision=decision,
        findings=findings,
        coverage=coverage,
        notices=(*notices, *(str(dangler) for dangler in dangling)),
        stop=stop,
    )


def stop_of(revision: int, findings: Iterable[Finding], history: Sequence[Round], max_revisions: int) -> Stop | None:
    """Why the loop must end although there are blocking findings; None if another round is worth it.

    A finding is the same as an earlier one if criterion, file and message agree, wherever in the file it is. Where
    several reasons hold, the one is given that raising `max_revisions` would not remove.
    """
    now = {_identity(finding): finding for finding in findings if finding.severity in BLOCKING}
    rounds = [
        {_identity(finding) for finding in past.findings if finding.severity in BLOCKING}
        for past in history
        if past.revision < revision
    ]
    repeated = [finding for identity, finding in now.items() if rounds and identity in rounds[-1]]
    if repeated:
        several = f" (and {len(repeated) - 1} more)" if len(repeated) > 1 else ""
        return Stop(
            reason="same_finding_twice",
            explanation=f"Finding {repeated[0].id}{several} was there in the round before and has not been mended. "
            "Mend it by hand, or make its requirement clearer, then go on from the partial work.",
        )
    if rounds and now.keys() <= set().union(*rounds):
        return Stop(
            reason="no_new_blocking_finding",
            explanation="Every blocking finding is known from an earlier round: the work goes in circles. "
            "Look for requirements that contradict each other, then go on from the partial work.",
        )
    if revision >= max_revisions:
        return Stop(
            reason="round_cap",
            explanation=f"Revision {revision} of at most {max_revisions} is not good enough yet. "
            "Raise max_revisions, or go on from the partial work by hand.",
        )
    return None


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Paths that are said to fulfil a criterion, and exist."""

    files: tuple[str, ...]
    tests: tuple[str, ...]


def _identity(finding: Remark) -> tuple[str, str, str]:
    message = _LINE_NUMBERS.sub(" ", finding.message.casefold())
    return (
        finding.criterion_id or "",
        path_key(finding.file or ""),
        " ".join(re.findall(r"\w+", message)),
    )


def _evidence_of(
    claims: Iterable[CoverageClaim], criteria: Sequence[Criterion], work: Handoff
) -> tuple[dict[str, _Evidence], tuple[str, ...]]:
    named: dict[str, set[str]] = {criterion.id: set() for criterion in criteria}
    silent = dict.fromkeys(named)
    notices: dict[str, None] = {}
    paths = {path_key(file.path) for file in (*work.files, *work.tests)}
    for claim in claims:
        meant = criteria_named(claim.criterion_id, criteria)
        if not meant:
            notices[f"The review covers {claim.criterion_id}, but no criterion has this id."] = None
        for path in (*claim.files, *claim.tests):
            if path_key(path) not in paths:
                notices[f"The review names {_shown(path)} for {claim.criterion_id}, but the work has no such file."] = (
                    None
                )
        for criterion in meant:
            silent.pop(criterion.id, None)
            named[criterion.id].update(path_key(path) for path in (*claim.files, *claim.tests))
    for identifier in silent:
        notices[f"The review does not say what fulfils {identifier}, so it counts as not covered."] = None
    return {
        # What a path is, the work says, not the list it was named in.
        identifier: _Evidence(
            tuple(file.path for file in work.files if path_key(file.path) in keys),
            tuple(test.path for test in work.tests if path_key(test.path) in keys),
        )
        for identifier, keys in named.items()
    }, tuple(notices)


def _dangling_remarks(remarks: Iterable[Remark], criteria: Sequence[Criterion], work: Handoff) -> Iterator[str]:
    paths = {path_key(file.path) for file in (*work.files, *work.tests)}
    for number, remark in enumerate(remarks, start=1):
        if remark.criterion_id is not None and not criteria_named(remark.criterion_id, criteria):
            yield f"Finding F{work.revision}.{number} names {remark.criterion_id}, but no criterion has this id."
        if remark.file and path_key(remark.file) not in paths:
            yield f"Finding F{work.revision}.{number} names {_shown(remark.file)}, but the work has no such file."


def _uncovered(
    evidence: Mapping[str, _Evidence], remarks: Sequence[Remark], criteria: Sequence[Criterion], work: Handoff
) -> Iterator[Remark]:
    blocked = {
        criterion.id
        for remark in remarks
        if remark.severity in BLOCKING
        for criterion in criteria_named(remark.criterion_id, criteria)
    }
    for criterion in criteria:
        # Where the reviewer itself has said what is wrong, "not covered" adds nothing.
        if criterion.id in blocked:
            continue
        given = evidence[criterion.id]
        if not given.files:
            message = f"No file of the work fulfils {criterion.id}."
            suggestion = f"Implement {criterion.id}, and give its id to the file that does it."
        elif work.tests and not given.tests:
            message = f"No test of the work checks {criterion.id}."
            suggestion = f"Write a test for {criterion.id}, and give it its id."
        else:
            continue
        yield Remark(
            severity=_UNCOVERED[criterion.priority],
            criterion_id=criterion.id,
            message=message,
            suggestion=suggestion,
        )


def _misnamed(work: Handoff, remarks: Iterable[Remark]) -> Iterator[Remark]:
    # Reviewers are asked to repeat what still stands, and that includes what was computed the last time.
    repeated = {_identity(remark) for remark in remarks}
    for dangler in dangling_ids(work.requirements, (*work.files, *work.tests)):
        remark = Remark(
            severity="minor",
            file=dangler.path,
            message=str(dangler),
            suggestion="Name the ids that the requirements have.",
        )
        if _identity(remark) not in repeated:
            yield remark


def _row(
    criterion: Criterion,
    evidence: _Evidence,
    findings: Iterable[Finding],
    criteria: Sequence[Criterion],
    work: Handoff,
) -> CoverageRow:
    return CoverageRow(
        criterion_id=criterion.id,
        requirement_id=criterion.requirement_id,
        priority=criterion.priority,
        files=evidence.files,
        tests=evidence.tests,
        findings=tuple(
            finding.id for finding in findings if criterion in criteria_named(finding.criterion_id, criteria)
        ),
        covered=bool(evidence.files and (evidence.tests or not work.tests)),
    )


def _dangling_rows(
    claims: Iterable[CoverageClaim], findings: Sequence[Finding], criteria: Sequence[Criterion]
) -> Iterator[CoverageRow]:
    named = [claim.criterion_id for claim in claims] + [finding.criterion_id or "" for finding in findings]
    for identifier in dict.fromkeys(named):
        if identifier and not criteria_named(identifier, criteria):
            yield CoverageRow(
                criterion_id=identifier,
                requirement_id=None,
                priority=None,
                files=(),
                tests=(),
                findings=tuple(finding.id for finding in findings if finding.criterion_id == identifier),
                covered=False,
            )


def _shown(path: str) -> str:
    return ascii(path if len(path) <= 80 else f"{path[:77]}...")
