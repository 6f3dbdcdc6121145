"""The gateway does what its OpenAPI document says, whatever is sent to it."""

import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chatgpt_codex.gateway import api_errors, app

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 12


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    return []


@pytest.fixture(scope="module")
def document(serving: Any) -> Any:
    described = schemathesis.openapi.from_url(f"{serving.origin}/openapi.json")
    described.config.update(base_url=serving.origin)
    return described


def test_no_request_breaks_it(document: Any, serving: Any) -> None:
    """No 5xx, no status or body that is not in the document."""
    tried = 0
    for result in document.get_all_operations():

        @given(case=result.ok().as_strategy())
        @settings(max_examples=EXAMPLES, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        def check(case: Any) -> None:
            case.call_and_validate(headers={"Authorization": f"Bearer {serving.key}"}, checks=CHECKS)

        check()
        tried += 1
    assert tried >= 16


def test_without_a_key_everything_but_the_open_paths_is_401(document: Any, serving: Any) -> None:
    import httpx2

    with httpx2.Client(base_url=serving.origin) as http:
        for result in document.get_all_operations():
            operation = result.ok()
            answer = http.request(operation.method, operation.path.replace("{", "").replace("}", ""), json=None)
            assert answer.status_code == (200 if operation.path == "/health" else 401), operation.label


async def test_every_status_that_the_gateway_gives_is_in_the_document(http: aiohttp.ClientSession) -> None:
    folder = Path(app.__file__).parent
    given = {int(status) for file in folder.rglob("*.py") for status in re.findall(r"status=(\d{3})", file.read_text())}
    async with http.get("/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    documented = {
        status for operations in paths.values() for each in operations.values() for status in each["responses"]
    }
    assert {str(status) for status in given} <= documented
    assert set(api_errors.ERROR_RESPONSES) >= given - {200, 426}


async def test_every_route_in_the_readme_is_there(http: aiohttp.ClientSession) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(?:GET |POST )?(/(?:v1|agents)/[\w/{}-]+)", readme))
    async with http.get("/openapi.json") as answer:
        paths = {path.replace("response_id", "id") for path in (await answer.json())["paths"]}
    assert len(named) >= 6
    assert named <= paths
