"""The page that the browser shows when it comes back: what happened, why, and what to do next."""

import html
from collections.abc import Mapping

SECURITY_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    # The page's own address has the code in it.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{state}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 34rem; padding: 0 1.5rem; }}
h1 {{ font-size: 1.4rem; }}
</style>
</head>
<body>
<main>
<h1>{state}</h1>
<p id="reason">{reason}</p>
<p id="next"><strong>{next_step}</strong></p>
</main>
</body>
</html>
"""


def callback_page(state: str, reason: str, next_step: str) -> str:
    """One page. It loads nothing from anywhere, and its texts may hold what a stranger wrote."""
    return _PAGE.format(state=html.escape(state), reason=html.escape(reason), next_step=html.escape(next_step))
