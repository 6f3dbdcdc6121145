from collections.abc import Callable

import aiohttp
import pytest

from chatgpt_codex.simulator import Simulator


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("Bearer sk-wrong-1234567890abcd", "Incorrect API key provided: sk-wrong***********abcd."),
        ("Bearer short", "Incorrect API key provided: sh***rt."),
        (None, "You didn't provide an API key."),
    ],
)
async def test_other_keys_are_refused_in_openais_words(
    authorization: str | None, message: str, simulate: Callable[..., Simulator], http: aiohttp.ClientSession
) -> None:
    simulator = simulate(keys=["sk-right"])
    headers = {"Authorization": authorization} if authorization else {}
    async with http.get(f"{simulator.base_url}/models", headers=headers) as response:
        assert response.status == 401
        error = (await response.json())["error"]
    assert error["message"].startswith(message)
    assert error["type"] == "invalid_request_error"
    assert error["code"] == ("invalid_api_key" if authorization else None)


async def test_the_named_key_is_taken(simulate: Callable[..., Simulator], http: aiohttp.ClientSession) -> None:
    url = f"{simulate(keys=['sk-right']).base_url}/models"
    async with http.get(url, headers={"Authorization": "Bearer sk-right"}) as response:
        assert response.status == 200
