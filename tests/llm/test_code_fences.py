import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.llm.code_fences import CodeBlock, code_blocks_of


def block(text: str, language: str = "", path: str = "") -> CodeBlock:
    return CodeBlock(language=language, path=path, text=text)


@pytest.mark.parametrize(
    ("info", "language", "path"),
    [
        ("", "", ""),
        ("python", "python", ""),
        ("Python", "python", ""),
        ("c++", "c++", ""),
        ("c#", "c#", ""),
        ("objective-c", "objective-c", ""),
        ("python path=src/app.py", "python", "src/app.py"),
        ("python path = src/app.py", "python", "src/app.py"),
        ('python title="my app.py"', "python", "my app.py"),
        ("python file='my app.py'", "python", "my app.py"),
        ("python filename=app.py hl_lines=3", "python", "app.py"),
        ("python:src/app.py", "python", "src/app.py"),
        ("python src/app.py", "python", "src/app.py"),
        ("python app.test.py", "python", "app.test.py"),
        ("src/app.py", "", "src/app.py"),
        ("app.test.ts", "", "app.test.ts"),
        (".env", "", ".env"),
        (".github/workflows/ci.yml", "", ".github/workflows/ci.yml"),
        ("Dockerfile", "dockerfile", ""),
        ("{.python file=app.py}", "python", "app.py"),
        ("{python}", "python", ""),
        ("js {1,3-5}", "js", ""),
    ],
)
def test_what_a_fence_says(info: str, language: str, path: str) -> None:
    assert code_blocks_of(f"```{info}\nx\n```") == (block("x\n", language, path),)


@pytest.mark.parametrize(
    ("markdown", "texts"),
    [
        ("no code", []),
        ("`inline` and ``more``", []),
        ("```a``` is inline", []),
        ("```\nx\n```", ["x\n"]),
        ("~~~\nx\n~~~", ["x\n"]),
        ("```\r\nx\r\ny\r\n```\r\n", ["x\ny\n"]),
        ("```\n```", [""]),
        ("```\nleft open", ["left open\n"]),
        ("```\nx\n```\n\n```", ["x\n"]),
        ("````\n```\nx\n```\n````", ["```\nx\n```\n"]),
        ("```\n~~~\n```", ["~~~\n"]),
        ("```\nx\n`````", ["x\n"]),
        ("```\nx\n```python", ["x\n```python\n"]),
        ("1. a list\n\n   ```\n   x\n     y\n\n   z\n   ```\n", ["x\n  y\n\nz\n"]),
        ("   ```\n       deeper\n   ```", ["    deeper\n"]),
        ("   ```\n x\n   ```", ["x\n"]),
        ("\t```\n\tx\n\t```", ["x\n"]),
        ("```\n  x\n  ```", ["  x\n"]),
        (
            '```\ndef f():\n    """Do.\n\n    ```\n    f()\n    ```\n    """\n```',
            ['def f():\n    """Do.\n\n    ```\n    f()\n    ```\n    """\n'],
        ),
        ("```\nx\n\n\n```", ["x\n\n\n"]),
        ("a\n```\n1\n```\nb\n~~~\n2\n~~~\nc", ["1\n", "2\n"]),
    ],
)
def test_where_a_block_begins_and_ends(markdown: str, texts: list[str]) -> None:
    assert [found.text for found in code_blocks_of(markdown)] == texts


LINES = st.lists(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=20), max_size=6)
PROSE = st.lists(st.text("abc .\u2028\x0c", max_size=12), max_size=3).map("\n".join)


@given(blocks=st.lists(st.tuples(LINES, st.sampled_from("`~"), st.integers(0, 6)), max_size=4), prose=PROSE)
def test_text_of_blocks_is_kept_to_the_letter(blocks: list[tuple[list[str], str, int]], prose: str) -> None:
    document = [prose]
    for lines, mark, indent in blocks:
        longest = max((len(line) for line in lines), default=0)
        fence = " " * indent + mark * max(3, longest + 1)
        document += [fence, *(" " * indent + line for line in lines), fence, prose]
    found = [each.text for each in code_blocks_of("\n".join(document))]
    assert found == ["".join(f"{line}\n" for line in lines) for lines, _, _ in blocks]


@pytest.mark.parametrize("line", ["~" * 200_000 + "`", " " * 200_000 + "x", "```" + "path " * 40_000])
def test_long_lines_are_read_in_one_go(line: str) -> None:
    """Reading that tried each place of the line anew would take minutes."""
    assert len(code_blocks_of(f"{line}\n{line}\n")) <= 1


@given(st.text())
def test_no_text_is_too_strange(markdown: str) -> None:
    assert all(each.text == "" or each.text.endswith("\n") for each in code_blocks_of(markdown))
