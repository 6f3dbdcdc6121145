"""What operators and clients can ask about the gateway itself: its models, its state, its counts."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from chatgpt_codex.gateway.backends.registry import build_backends
from chatgpt_codex.gateway.errors import GatewayError
from chatgpt_codex.gateway.routing import Routing
from chatgpt_codex.gateway.settings import load_settings
from chatgpt_codex.simulator import Simulator

from .conftest import Answer, OpenGateway, RawUpstream, Received, error_of, plain

RawUpstreams = Callable[[Answer], Awaitable[RawUpstream]]
Gateways = Callable[..., Awaitable[OpenGateway]]


def _list(*names: str) -> Answer:
    return plain(orjson.dumps({"object": "list", "data": [{"id": name, "owned_by": "them"} for name in names]}))


async def test_models_are_listed_under_names_that_lead_to_them(
    raw_upstream: RawUpstreams, open_gateway: Gateways
) -> None:
    first = await raw_upstream(_list("gpt-6-luna", "shared", "second/odd"))
    second = await raw_upstream(_list("shared", "llama"))
    gateway = await open_gateway({"first": first.base_url, "second": second.base_url})

    status, _, body = await gateway.get("/v1/models")

    listed: list[dict[str, Any]] = orjson.loads(body)["data"]
    ours = [model for model in listed if model["owned_by"] == "them"]
    assert status == 200
    assert [model["id"] for model in ours] == [
        "gpt-6-luna",
        "shared",
        "first/second/odd",
        "second/shared",
        "second/llama",
    ]
    assert ours[0].keys() == {"id", "object", "created", "owned_by", "name", "context_window", "max_output_tokens"}
    assert ours[0]["max_output_tokens"] == 128_000
    for model in ours:
        status, _, body = await gateway.get(f"/v1/models/{model['id']}")
        assert (status, orjson.loads(body)) == (200, model)
    status, _, body = await gateway.get("/v1/models/none-such")
    assert (status, error_of(body)["code"]) == (404, "model_not_found")
    # A minute long, nobody is asked again.
    assert len(first.received) == len(second.received) == 1


async def test_a_backend_that_is_down_does_not_take_the_others_with_it(
    raw_upstream: RawUpstreams, open_gateway: Gateways, unused_tcp_port: int
) -> None:
    up = await raw_upstream(_list("m"))
    gateway = await open_gateway({"up": up.base_url, "down": f"http://127.0.0.1:{unused_tcp_port}/v1"})

    _, _, body = await gateway.get("/v1/models")
    assert "m" in [model["id"] for model in orjson.loads(body)["data"]]

    status, _, body = await gateway.get("/health/ready")
    found = {backend["name"]: backend for backend in orjson.loads(body)["backends"]}
    assert (status, found["up"]["ready"], found["down"]["ready"]) == (200, True, False)
    assert "could not be reached" in found["down"]["detail"]


async def test_what_nobody_foresaw_is_an_error_without_its_words(
    open_gateway: Gateways, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_self: object) -> None:
        raise RuntimeError("the prompt was: my secret")

    monkeypatch.setattr("chatgpt_codex.gateway.backends.chatgpt.ChatGPTBackend.models", fail)
    gateway = await open_gateway()
    status, headers, body = await gateway.get("/v1/models")
    assert (status, error_of(body)["code"]) == (500, "gateway_failed")
    assert f"{headers['X-Request-ID']} failed: RuntimeError at " in caplog.text
    assert "secret" not in body.decode() + caplog.text


async def test_what_nobody_foresaw_is_told_on_a_socket_too(
    open_gateway: Gateways, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the prompt was: my secret")

    monkeypatch.setattr("chatgpt_codex.gateway.backends.chatgpt.ChatGPTBackend.respond", fail)
    gateway = await open_gateway()
    async with gateway.client.ws_connect("/v1/responses") as socket:
        await socket.send_json({"type": "response.create", "model": "chatgpt/m", "input": "my secret"})
        async with asyncio.timeout(5):
            told = str(await socket.receive_str())
    assert '"gateway_failed"' in told
    assert "RuntimeError at " in caplog.text
    assert "secret" not in told + caplog.text


async def test_it_is_not_ready_where_no_backend_is(raw_upstream: RawUpstreams, open_gateway: Gateways) -> None:
    upstream = await raw_upstream(plain(b'{"error":{"message":"no"}}', "401 Unauthorized"))
    gateway = await open_gateway({"up": upstream.base_url})
    status, _, body = await gateway.get("/health/ready")
    answer = orjson.loads(body)
    ready = [backend["name"] for backend in answer["backends"] if backend["ready"]]
    assert "up" not in ready
    assert (status, answer["ready"]) == ((200, True) if ready else (503, False))
    assert (await gateway.get("/health"))[0] == 200


async def test_an_upstream_that_does_not_answer_is_not_waited_for(
    raw_upstream: RawUpstreams, open_gateway: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_: Received, __: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("chatgpt_codex.gateway.backends.upstream._LIST_SECONDS", 0.05)
    upstream = await raw_upstream(silent)
    gateway = await open_gateway({"up": upstream.base_url})
    assert (await gateway.get("/v1/models"))[0] == 200
    _, _, body = await gateway.get("/health/ready")
    assert "no list of models within" in next(
        backend["detail"] for backend in orjson.loads(body)["backends"] if backend["name"] == "up"
    )


async def test_what_is_counted_holds_nothing_that_a_client_chose(
    simulate: Callable[..., Simulator], open_gateway: Gateways
) -> None:
    gateway = await open_gateway({"up": simulate().base_url})
    body = {"model": "up/my-secret-model", "input": "my secret"}
    for path in ("/v1/responses", "/v1/models/my-secret", "/my-secret", "/v1/responses"):
        await (gateway.post(path, body) if path.endswith("responses") else gateway.get(path))
    await gateway.get("/v1/models", Authorization="Bearer my-secret-key")

    status, headers, text = await gateway.get("/metrics")

    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    counts = dict(re.findall(r"^chatgpt_codex_gateway_requests_total(\{.*\}) ([\d.]+)$", text.decode(), re.MULTILINE))
    assert counts == {
        '{backend="up",endpoint="/v1/responses",status="200"}': "2.0",
        '{backend="",endpoint="/v1/models/{model_id:path}",status="404"}': "1.0",
        '{backend="",endpoint="other",status="404"}': "1.0",
        '{backend="",endpoint="other",status="401"}': "1.0",
    }
    assert b"secret" not in text


async def test_what_is_not_there_is_an_error_in_openais_shape(open_gateway: Gateways) -> None:
    gateway = await open_gateway()
    for method, path, status, code in (
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
        ("POST", "/v1/embeddings", 404, "unknown_url"),
        ("GET", "/v1", 404, "unknown_url"),
    ):
        async with gateway.client.request(method, path, json={} if method == "POST" else None) as response:
            assert (response.status, error_of(await response.read())["code"]) == (status, code)


UPSTREAMS = (
    '[{"name":"a","base_url":"http://a.test/v1","models":["gpt-*"]},'
    '{"name":"b","base_url":"http://b.test/v1","models":["gpt-6*","llama?"]}]'
)


@pytest.mark.parametrize(
    ("model", "backend", "name"),
    [
        ("gpt-6-luna", "a", "gpt-6-luna"),
        ("b/gpt-6-luna", "b", "gpt-6-luna"),
        ("b/org/model", "b", "org/model"),
        ("org/model", "a", "org/model"),
        ("llama3", "b", "llama3"),
        ("llama33", "a", "llama33"),
        ("b", "b", "b"),
        ("b/", "a", "b/"),
        ("codex-local", "codex-local", "codex-local"),
    ],
)
def test_a_models_name_says_who_answers(model: str, backend: str, name: str) -> None:
    settings, environ = load_settings({"UPSTREAMS": UPSTREAMS}, env_file=None)
    backends = build_backends(settings, environ)
    route = Routing(backends, "").route(model)
    assert (route.backend.name, route.model) == (backend, name)
    assert Routing(backends, "b").route("anything").backend.name == "b"


def test_without_a_backend_the_error_says_what_to_set() -> None:
    with pytest.raises(GatewayError, match="Set OPENAI_API_KEY, or UPSTREAMS") as caught:
        Routing((), "").route("gpt-6-luna")
    assert caught.value.status == 503
