"""What the simulator says when no script tells it: plain, useful for trying a workflow, and honest about itself."""

import re
from dataclasses import dataclass

from .prompt import Prompt

_QUOTE_CHARACTERS = 80

_ASKS_FOR_CODE = re.compile(
    r"\b(code|coding|coder|codex|program|programmer|script|function|class|implement\w*|refactor\w*|unit tests?|"
    r"python|javascript|typescript|rust|golang|java|sql|bash|html)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Language:
    fence: str
    path: str
    code: str


_PYTHON = _Language(
    fence="python",
    path="hello.py",
    code='''def greet(name: str) -> str:
    """Return a greeting for name."""
    return f"Hello, {name}! (simulated)"


if __name__ == "__main__":
    print(greet("world"))''',
)

_LANGUAGES = {
    "typescript": _Language(
        fence="typescript",
        path="hello.ts",
        code="export function greet(name: string): string {\n  return `Hello, ${name}! (simulated)`;\n}\n\n"
        'console.log(greet("world"));',
    ),
    "javascript": _Language(
        fence="javascript",
        path="hello.js",
        code='function greet(name) {\n  return `Hello, ${name}! (simulated)`;\n}\n\nconsole.log(greet("world"));',
    ),
    "rust": _Language(fence="rust", path="main.rs", code='fn main() {\n    println!("Hello, world! (simulated)");\n}'),
    "golang": _Language(
        fence="go",
        path="main.go",
        code='package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("Hello, world! (simulated)")\n}',
    ),
    "java": _Language(
        fence="java",
        path="Hello.java",
        code="public class Hello {\n    public static void main(String[] args) {\n"
        '        System.out.println("Hello, world! (simulated)");\n    }\n}',
    ),
    "sql": _Language(fence="sql", path="hello.sql", code="SELECT 'Hello, world! (simulated)' AS greeting;"),
    "bash": _Language(
        fence="bash",
        path="hello.sh",
        code='#!/usr/bin/env bash\nset -euo pipefail\n\necho "Hello, ${1:-world}! (simulated)"',
    ),
    "html": _Language(
        fence="html",
        path="index.html",
        code='<!doctype html>\n<html lang="en">\n<title>Hello</title>\n<p>Hello, world! (simulated)</p>\n</html>',
    ),
}
_LANGUAGE_NAME = re.compile(rf"\b({'|'.join(_LANGUAGES)})\b", re.IGNORECASE)


def default_text(prompt: Prompt) -> str:
    """A paragraph, or for a request that asks for code a paragraph and a fenced block with language and path."""
    quote = _quote(prompt.last_user_text)
    asked = f"The request to {prompt.model} ended with “{quote}”. " if quote else f"{prompt.model} was asked nothing. "
    if _ASKS_FOR_CODE.search(prompt.instructions) or _ASKS_FOR_CODE.search(prompt.last_user_text):
        language = _language(prompt)
        return (
            f"This is a simulated answer: no model was asked. {asked}"
            f"Here is a small program in place of a real solution.\n\n"
            f"```{language.fence} path={language.path}\n{language.code}\n```"
        )
    return (
        f"This is a simulated answer: no model was asked. {asked}"
        f"A real model would answer here; give the simulator a script to decide what it says."
    )


def default_reasoning(prompt: Prompt) -> str:
    return f"**Simulated reasoning**\n\nLooked at {prompt.input_tokens} tokens of input and chose the default answer."


def _language(prompt: Prompt) -> _Language:
    named = _LANGUAGE_NAME.search(prompt.last_user_text) or _LANGUAGE_NAME.search(prompt.instructions)
    return _LANGUAGES[named.group().lower()] if named else _PYTHON


def _quote(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _QUOTE_CHARACTERS else line[: _QUOTE_CHARACTERS - 1].rstrip() + "…"
