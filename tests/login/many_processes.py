"""Processes that use one sign-in at once, for `test_renewal`: each asks for a page of the provider's, again and again.

Arguments: the provider's page for access tokens, how many processes, how many calls each, seconds between two calls.
It prints one JSON object a process: how many calls were accepted, and what went wrong.
"""

import asyncio
import json
import os
import sys

import aiohttp

from chatgpt_codex.llm.errors import ModelError
from chatgpt_codex.login.accounts import Accounts


async def use(page: str, calls: int, pause_seconds: float) -> dict[str, object]:
    credential = Accounts().credential()
    accepted, wrong = 0, []
    async with aiohttp.ClientSession() as session:

        async def status(headers: object) -> int:
            async with session.get(page, headers=headers) as response:  # type: ignore[arg-type]
                return response.status

        for _ in range(calls):
            await asyncio.sleep(pause_seconds)
            try:
                headers = await credential.headers()
                # On a busy machine a token of a second may have ended on its way.
                for _ in range(3):
                    if (found := await status(headers)) != 401:
                        break
                    headers = await credential.renew(headers["Authorization"])
            except ModelError as error:
                wrong.append(str(error))
                continue
            accepted += found == 200
    return {"accepted": accepted, "wrong": wrong}


def main() -> None:
    page, processes, calls, pause = sys.argv[1], *map(float, sys.argv[2:])
    # Forked before there is any thread or loop: importing everything eight times would take most of the time.
    children = []
    for _ in range(int(processes)):
        if (child := os.fork()) == 0:
            sys.stdout.write(json.dumps(asyncio.run(use(page, int(calls), pause))) + "\n")
            sys.stdout.flush()
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
