"""The OpenAI SDK's client, without what it adds by itself. Only `pool` imports this: it loads the SDK."""

from http.cookiejar import CookieJar, DefaultCookiePolicy

from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Omit

from .._version import __version__


class BareClient(AsyncOpenAI):
    """An AsyncOpenAI that adds nothing to a request but what the request brings.

    The SDK sends OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS with every key, also with one that is not
    the operator's. Its HTTP client would send a cookie that a server gave to one key along with the next key, and
    follow a redirect with prompt and headers to wherever it points.
    """

    def __init__(self, base_url: str) -> None:
        super().__init__(
            base_url=base_url,
            api_key="sent-with-each-request",
            max_retries=0,
            http_client=DefaultAsyncHttpxClient(
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())), follow_redirects=False
            ),
        )

    @property
    def default_headers(self) -> dict[str, str | Omit]:
        return {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": f"chatgpt-codex/{__version__}",
        }
