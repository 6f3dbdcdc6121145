"""Rules for block classes: names, ids, descent, and what they charge."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

from .block_classes import BlockClass, argument_of, id_of, times_listed
from .finding import Finding
from .source import Modules

_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_UUID_LENGTH = 36


def check_class_names(classes: Mapping[str, BlockClass]) -> Iterator[Finding]:
    """Class names that stop the server, and two classes with one name."""
    by_name: dict[str, BlockClass] = {}
    for block_class in _ours_last(classes.values()):
        if block_class.is_abstract:
            continue
        if not block_class.name.endswith("Block"):
            yield _finding(
                block_class,
                "class-name",
                f"The server stops at the class {block_class.name}: a block's name ends with Block.",
                "Rename it; a class that is no block itself, but a base of some, ends with Base.",
            )
        other = by_name.setdefault(block_class.name, block_class)
        if other is not block_class:
            yield _finding(
                block_class,
                "duplicate-class-name",
                f"{block_class.name} is the name of another block too, in {_place(other)}: block names are unique in "
                "the platform's database.",
                "Rename one of them.",
            )


def check_ids(classes: Mapping[str, BlockClass]) -> Iterator[Finding]:
    """Ids that stop the server, or that break saved graphs."""
    by_id: dict[str, BlockClass] = {}
    for block_class in _ours_last(classes.values()):
        if block_class.is_abstract:
            continue
        block_id = id_of(block_class)
        if block_id is None:
            yield from _without_id(block_class, classes)
            continue
        if block_id.is_random:
            yield _finding(
                block_class,
                "random-id",
                f"{block_class.name} makes a new id whenever it is built: after a restart no saved graph finds it.",
                "Write one uuid4 as a literal.",
                line=block_id.line,
            )
        elif block_id.text is None:
            continue
        elif len(block_id.text) != _UUID_LENGTH:
            yield _finding(
                block_class,
                "id-form",
                f"The server stops at {block_class.name}: its id {block_id.text!r} is not a UUID.",
                "Write a uuid4 as a literal.",
                line=block_id.line,
            )
        else:
            yield from _id_again(block_class, block_id.text, block_id.line, by_id)


def _id_again(block_class: BlockClass, text: str, line: int, by_id: dict[str, BlockClass]) -> Iterator[Finding]:
    if block_class.module.is_ours and not _UUID4.fullmatch(text):
        yield _finding(
            block_class,
            "id-form",
            f"The id {text!r} is not a uuid4 in lower case.",
            "Write one as a literal.",
            line=line,
        )
    other = by_id.setdefault(text, block_class)
    if other is not block_class:
        yield _finding(
            block_class,
            "duplicate-id",
            f"The server stops: {block_class.name} has the id of {other.name} in {_place(other)}, {text}.",
            "Remove one of the two, or give the newer one an id of its own; graphs that use it name it by its id.",
            line=line,
        )


def _without_id(block_class: BlockClass, classes: Mapping[str, BlockClass]) -> Iterator[Finding]:
    """A class without a constructor of its own has the id of the nearest class above that gives one, if any does."""
    if block_class.init_call is not None or _has_own_constructor(block_class):
        return
    above = list(block_class.parents)
    while above:
        parent = classes.get(above.pop(0))
        if parent is None:
            continue
        if _has_own_constructor(parent):
            if parent.is_abstract:
                return
            yield _finding(
                block_class,
                "duplicate-id",
                f"The server stops: {block_class.name} has no constructor of its own, so it has the id of "
                f"{parent.name} in {_place(parent)}.",
                'Give it an __init__ that calls super().__init__(id="…") with a uuid4 of its own.',
            )
            return
        above.extend(parent.parents)
    yield _finding(
        block_class,
        "id-form",
        f"The server stops: {block_class.name} has no constructor, so it has no id.",
        'Give it an __init__ that calls super().__init__(id="…") with a uuid4.',
    )


def check_descent(classes: Mapping[str, BlockClass]) -> Iterator[Finding]:
    """Classes that the server comes upon twice, because two others stand between them and Block."""
    for dotted, times in times_listed(classes).items():
        block_class = classes[dotted]
        if times > 1 and not block_class.is_abstract:
            chain = _chain(block_class, classes)
            yield _finding(
                block_class,
                "two-classes-between",
                f"The server stops: it finds {block_class.name} {times} times and takes its id for a duplicate, since "
                f"more than one class stands between Block and it ({' > '.join(chain)}).",
                f"Let {block_class.name} descend from Block by one class at most.",
            )


def check_constructors(classes: Mapping[str, BlockClass]) -> Iterator[Finding]:
    """Arguments that Block does not know."""
    for block_class in classes.values():
        call = block_class.init_call
        given = None if call is None or block_class.parents != ("Block",) else argument_of(call, "name")
        if given is not None:
            yield _finding(
                block_class,
                "name-argument",
                f"The server stops: {block_class.name} gives name= to Block, which takes none.",
                "Leave it out: the class's name is the block's name.",
                line=given.lineno,
            )


def check_base_costs(modules: Modules) -> Iterator[Finding]:
    """Base costs on the provider that others' blocks use too."""
    for module in modules:
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "with_base_cost"
                and _provider_of(node.func.value) == "openai"
            ):
                yield Finding(
                    rule="openai-base-cost",
                    what="with_base_cost on the openai provider charges others' blocks too: those with an openai "
                    "credential and no cost of their own, such as AIConditionBlock.",
                    path=module.path,
                    line=node.func.end_lineno,
                    fix="State the cost on your own classes: @cost(BlockCost(cost_amount=1, "
                    "cost_type=BlockCostType.RUN)).",
                )


def _provider_of(node: ast.expr) -> str | None:
    """The name in `ProviderBuilder("name").…`, however many calls follow."""
    while isinstance(node, ast.Call):
        called = node.func
        name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
        if name == "ProviderBuilder":
            given = node.args[0] if node.args else argument_of(node, "name")
            return given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else None
        if not isinstance(called, ast.Attribute):
            return None
        node = called.value
    return None


def _has_own_constructor(block_class: BlockClass) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == "__init__" for node in block_class.node.body)


def _chain(block_class: BlockClass, classes: Mapping[str, BlockClass]) -> list[str]:
    """From Block down to the class, by the longest way."""
    chains = [_chain(classes[parent], classes) if parent in classes else ["Block"] for parent in block_class.parents]
    return [*max(chains, key=len), block_class.name]


def _ours_last(classes: Iterable[BlockClass]) -> list[BlockClass]:
    """So that, of two that are alike, the finding is at ours, which is what can be changed."""
    return sorted(classes, key=lambda block_class: block_class.module.is_ours)


def _place(block_class: BlockClass) -> str:
    return f"{block_class.module.path}:{block_class.node.lineno}"


def _finding(block_class: BlockClass, rule: str, what: str, fix: str, *, line: int | None = None) -> Finding:
    return Finding(rule=rule, what=what, path=block_class.module.path, line=line or block_class.node.lineno, fix=fix)
