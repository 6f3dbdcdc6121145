"""Rules for pins: what the loader refuses, what the executor does not convert, what an export loses."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .block_classes import BlockClass
from .finding import Finding
from .source import Module, Modules, dotted_of

_DROPPED_BY_EXPORT = ("token", "secret", "password", "api_key", "credentials")
_PLAIN_TYPES = frozenset({"str", "int", "float", "bool", "list", "dict", "bytes", "object"})
_SCHEMA_ROOTS = frozenset({"BlockSchema", "BlockSchemaInput", "BlockSchemaOutput"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """An input or output, as its class declares it."""

    name: str
    block: str
    side: str
    """Input or Output."""
    node: ast.AnnAssign
    module: Module
    is_inherited: bool

    @property
    def spoken(self) -> str:
        return f"{self.block}.{self.side}.{self.name}"

    @property
    def is_bool(self) -> bool:
        return _is_name(self.node.annotation, "bool")

    @property
    def is_credentials(self) -> bool:
        """Whether its annotation speaks of CredentialsMetaInput, or of an alias that is called like it."""
        return any(
            isinstance(node, ast.Name | ast.Attribute)
            and (node.id if isinstance(node, ast.Name) else node.attr).endswith(
                ("CredentialsMetaInput", "CredentialsInput")
            )
            for node in ast.walk(self.node.annotation)
        )


def check_fields(classes: Mapping[str, BlockClass], modules: Modules) -> Iterator[Finding]:
    """All rules for the pins of all blocks; those that cost only ourselves, for ours alone."""
    seen: set[tuple[str, int]] = set()
    for block_class in classes.values():
        if block_class.is_abstract:
            continue
        for pin in (*_pins_of(block_class, "Input", modules), *_pins_of(block_class, "Output", modules)):
            place = (pin.module.name, pin.node.lineno)
            if place not in seen:
                yield from _loader_findings(pin)
            if block_class.module.is_ours and pin.side == "Input":
                yield from _own_findings(pin, first=place not in seen)
            seen.add(place)


def _loader_findings(pin: Pin) -> Iterator[Finding]:
    if pin.side == "Output" and pin.name == "error" and not _is_name(pin.node.annotation, "str"):
        yield _finding(pin, "error-type", f"The server stops: {pin.spoken} is not annotated str.", "Annotate it str.")
    if pin.is_credentials:
        yield from _credentials_findings(pin)
        return
    if pin.name.endswith("credentials") and _is_plain(pin.node.annotation):
        yield _finding(
            pin,
            "credentials-type",
            f"The server stops: {pin.spoken} is called like a credentials field, but is none.",
            "Rename it, or make it a CredentialsMetaInput.",
        )
    if not _is_schema_field(pin.node.value):
        yield _finding(
            pin,
            "not-a-schema-field",
            f"The server stops: {pin.spoken} is not declared with SchemaField.",
            "Declare it with SchemaField(description=…).",
        )
    elif pin.side == "Input" and pin.is_bool and not _has_bool_default(pin.node.value):
        yield _finding(
            pin,
            "bool-default",
            f"The server stops: {pin.spoken} is a bool without a default.",
            "Give it default=True or default=False.",
        )


def _credentials_findings(pin: Pin) -> Iterator[Finding]:
    if pin.name != "credentials" and not pin.name.endswith("_credentials"):
        yield _finding(
            pin,
            "credentials-name",
            f"The server stops: {pin.spoken} is a credentials field, but not called so.",
            "Call it credentials, or let its name end with _credentials.",
        )
    if any(isinstance(node, ast.Constant) and node.value is None for node in ast.walk(pin.node.annotation)):
        yield _finding(
            pin,
            "credentials-type",
            f"The server stops: {pin.spoken} may be None, which a credentials field may not.",
            "Leave None out of its annotation.",
        )


def _own_findings(pin: Pin, *, first: bool) -> Iterator[Finding]:
    word = next((word for word in _DROPPED_BY_EXPORT if word in pin.name), None)
    if first and word is not None and not pin.is_credentials and not pin.is_bool:
        yield _finding(
            pin,
            "dropped-by-export",
            f"AutoGPT's export drops {pin.spoken} from every graph, since its name holds {word!r}.",
            "Give it another name, as output_limit is for max_output_tokens.",
        )
    if pin.is_inherited:
        yield _finding(
            pin,
            "inherited-input",
            f"{pin.spoken} is inherited, so the executor does not convert what comes in: '7' for an int is refused.",
            "Declare it in the block's own Input class.",
        )
    elif first and pin.module.has_future_annotations:
        yield _finding(
            pin,
            "future-annotations",
            f"{pin.spoken} stands in a module with `from __future__ import annotations`, so the executor does not "
            "convert what comes in: '7' for an int is refused.",
            "Remove that import from the module.",
        )


def _pins_of(block_class: BlockClass, side: str, modules: Modules) -> list[Pin]:
    found = next((node for node in block_class.node.body if isinstance(node, ast.ClassDef) and node.name == side), None)
    return [] if found is None else list(_declared(block_class, side, block_class.module, found, modules).values())


def _declared(
    block_class: BlockClass, side: str, module: Module, schema: ast.ClassDef, modules: Modules, depth: int = 0
) -> dict[str, Pin]:
    """The pins of a schema class by name; what it redeclares replaces what it inherits."""
    pins: dict[str, Pin] = {}
    for base in reversed(schema.bases):
        dotted = modules.origin_of(dotted_of(base, module.names))
        known = modules.class_named(dotted) if dotted.rpartition(".")[2] not in _SCHEMA_ROOTS else None
        if known is not None and known[1] is not schema and depth < _DEEPEST:
            pins.update(_declared(block_class, side, *known, modules, depth + 1))
    for node in schema.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and _is_field(node, node.target.id):
            pins[node.target.id] = Pin(
                name=node.target.id,
                block=block_class.name,
                side=side,
                node=node,
                module=module,
                is_inherited=depth > 0,
            )
    return pins


_DEEPEST = 20


def _is_field(node: ast.AnnAssign, name: str) -> bool:
    return not name.startswith("_") and name != "model_config" and "ClassVar" not in ast.dump(node.annotation)


def _is_name(node: ast.expr, name: str) -> bool:
    return (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.Constant) and node.value == name)


def _is_plain(node: ast.expr) -> bool:
    inner = node.value if isinstance(node, ast.Subscript) else node
    return isinstance(inner, ast.Name) and inner.id in _PLAIN_TYPES


def _is_schema_field(value: ast.expr | None) -> bool:
    """Whether it may be one: what another function than pydantic's Field makes is taken on trust."""
    if not isinstance(value, ast.Call):
        return False
    called = value.func
    name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
    return name != "Field" or any(word.arg in {"json_schema_extra", None} for word in value.keywords)


def _has_bool_default(value: ast.expr | None) -> bool:
    if not isinstance(value, ast.Call):
        return False
    called = value.func
    if not (isinstance(called, ast.Name | ast.Attribute) and ast.unparse(called).endswith("SchemaField")):
        return True
    given = next(
        (word.value for word in value.keywords if word.arg == "default"), value.args[0] if value.args else None
    )
    if any(word.arg is None for word in value.keywords) or (given is not None and not isinstance(given, ast.Constant)):
        # Settled only when it runs.
        return True
    return isinstance(given, ast.Constant) and isinstance(given.value, bool)


def _finding(pin: Pin, rule: str, what: str, fix: str) -> Finding:
    return Finding(rule=rule, what=what, path=pin.module.path, line=pin.node.lineno, fix=fix)
