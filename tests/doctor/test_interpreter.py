"""What the doctor says of Python and packages."""

import sys
from importlib.metadata import PackageNotFoundError

import pytest

from chatgpt_codex import __version__
from chatgpt_codex.doctor import interpreter
from chatgpt_codex.doctor.interpreter import check_packages, check_python


def test_this_python_will_do() -> None:
    check = check_python()

    assert check.state == "ok"
    assert sys.executable in check.detail


def test_a_python_that_is_too_old() -> None:
    check = check_python((3, 10, 14))

    assert check.state == "problem"
    assert check.detail.startswith("3.10.14 ")
    assert check.fix == "Use Python 3.11 or newer."


def test_all_that_is_required_is_looked_at() -> None:
    found = {check.name: check for check in check_packages()}

    assert found["chatgpt-codex"].detail == __version__
    assert {"openai", "aiohttp", "pydantic", "click"} <= found.keys()
    # What only developers need is not asked for.
    assert "ruff" not in found
    assert {check.state for check in found.values()} == {"ok"}


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Pretends that these are installed, and that they are what is required."""
    installed: dict[str, str] = {}

    def version(name: str) -> str:
        if name not in installed:
            raise PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(interpreter, "version", version)
    monkeypatch.setattr(interpreter, "requires", lambda _: ["openai<4,>=1.97.1", "pytest>=9; extra == 'dev'"])
    return installed


@pytest.mark.parametrize(
    ("version", "state", "detail"),
    [
        ("1.97.1", "ok", "1.97.1"),
        ("1.68.2", "problem", "1.68.2 is installed, <4,>=1.97.1 is needed."),
        ("4.0.0", "problem", "4.0.0 is installed, <4,>=1.97.1 is needed."),
    ],
)
def test_versions(packages: dict[str, str], version: str, state: str, detail: str) -> None:
    packages |= {"chatgpt-codex": "1", "openai": version}

    _, check = check_packages()

    assert (check.name, check.state, check.detail) == ("openai", state, detail)
    assert check.fix == ("" if state == "ok" else "pip install 'openai<4,>=1.97.1'")


def test_a_package_that_is_missing(packages: dict[str, str]) -> None:
    packages["chatgpt-codex"] = "1"

    _, check = check_packages()

    assert (check.state, check.detail) == ("problem", "It is not installed.")


def test_a_package_that_runs_from_its_folder(packages: dict[str, str]) -> None:
    (check,) = check_packages()

    assert packages == {}
    assert check.state == "warning"
    assert "make demo" in check.fix
