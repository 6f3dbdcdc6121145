"""Filling in Jinja2 templates that come from graph files, and from models."""

from collections.abc import Mapping
from functools import lru_cache

from jinja2 import Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment


def render(template: str, values: Mapping[str, object], *, escape_html: bool) -> str:
    """Fill `values` into `template`; names without a value become nothing.

    Sandboxed: a template reaches neither private attributes nor methods that change a value.

    Raises:
        ValueError: The template is not valid, or does something that cannot be done with the values.
    """
    try:
        return _compiled(template, escape_html).render(values)
    except (TemplateError, ArithmeticError, LookupError, TypeError) as error:
        raise ValueError(f"The template cannot be filled in: {error}") from error


@lru_cache(maxsize=256)
def _compiled(template: str, escape_html: bool) -> Template:
    return _environment(escape_html).from_string(template)


@lru_cache(maxsize=2)
def _environment(escape_html: bool) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(autoescape=escape_html)
