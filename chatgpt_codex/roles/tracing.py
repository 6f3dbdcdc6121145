"""Follows ids from requirement to criterion to file and test, and finds those that lead nowhere."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .work import AcceptanceCriterion, Priority, Requirement, SourceFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """Something to be fulfilled, with the requirement it belongs to."""

    id: str
    requirement_id: str
    priority: Priority


@dataclass(frozen=True, slots=True)
class DanglingId:
    """An id in a file that no requirement and no criterion has."""

    path: str
    id: str

    def __str__(self) -> str:
        return f"{self.path} names {self.id}, but no requirement or criterion has this id."


def criteria_of(requirements: Iterable[Requirement]) -> tuple[Criterion, ...]:
    """All criteria in order. A requirement without any is its own criterion."""
    return tuple(
        Criterion(id=identifier, requirement_id=requirement.id, priority=requirement.priority)
        for requirement in requirements
        for identifier in [criterion.id for criterion in requirement.acceptance_criteria] or [requirement.id]
    )


def criteria_named(identifier: str | None, criteria: Sequence[Criterion]) -> tuple[Criterion, ...]:
    """The criterion with that id, or all those of the requirement with that id; none if the id dangles."""
    return tuple(criterion for criterion in criteria if identifier in (criterion.id, criterion.requirement_id))


def dangling_ids(requirements: Iterable[Requirement], files: Iterable[SourceFile]) -> tuple[DanglingId, ...]:
    """The ids in `files` that lead nowhere, each once a file."""
    known = set(_ids_of(requirements))
    return tuple(
        DanglingId(file.path, identifier)
        for file in files
        for identifier in dict.fromkeys(file.requirement_ids)
        if identifier not in known
    )


def with_distinct_ids(requirements: Iterable[Requirement]) -> tuple[tuple[Requirement, ...], tuple[str, ...]]:
    """The requirements with no id used twice, and a notice for each that was changed.

    Whatever names a doubled id goes on to mean the first bearer of it.
    """
    requirements = tuple(requirements)
    taken: set[str] = set()
    notices: list[str] = []
    # Ids given once keep their bearers: a new id must not be one that occurs later on.
    given = set(_ids_of(requirements))

    def distinct(identifier: str, kind: str) -> str:
        if identifier not in taken:
            taken.add(identifier)
            return identifier
        stem, number = identifier[:60], 2
        while f"{stem}-{number}" in taken | given:
            number += 1
        taken.add(f"{stem}-{number}")
        notices.append(f"The id {identifier} was given twice; the second {kind} of that id is now {stem}-{number}.")
        return f"{stem}-{number}"

    def renamed(requirement: Requirement) -> Requirement:
        return requirement.model_copy(
            update={
                "id": distinct(requirement.id, "requirement"),
                "acceptance_criteria": tuple(
                    AcceptanceCriterion(id=distinct(criterion.id, "criterion"), text=criterion.text)
                    for criterion in requirement.acceptance_criteria
                ),
            }
        )

    return tuple(renamed(requirement) for requirement in requirements), tuple(notices)


def _ids_of(requirements: Iterable[Requirement]) -> Iterator[str]:
    for requirement in requirements:
        yield requirement.id
        yield from (criterion.id for criterion in requirement.acceptance_criteria)
