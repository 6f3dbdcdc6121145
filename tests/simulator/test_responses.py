from openai import AsyncOpenAI

from chatgpt_codex.simulator import Simulator


async def test_default_answer_says_it_is_simulated() -> None:
    async with Simulator() as simulator, AsyncOpenAI(base_url=simulator.base_url, api_key="any") as client:
        response = await client.responses.create(model="gpt-6-luna", input="Hello")
    assert response.output_text.startswith("This is a simulated answer")
