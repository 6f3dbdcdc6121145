"""Ask a model: messages, requests, results, what each model takes, errors, retries, and both of OpenAI's APIs.

| to find out | read |
|---|---|
| how to ask one whole question | `asking` |
| what goes in and out | `messages`, `requests`, `results`, `events` |
| how people write it as plain JSON | `dialects` |
| what images and files go in, what forms come out | `images`, `output_formats` |
| what a model takes | `catalogue` (data), `profiles` (look-up), `model_limits`, `strict_mode` (schemas) |
| who asks whom | `client` (the protocol), `credentials`, `endpoint`, `api_choice` |
| how it is asked | `server_client` (attempts, refused parameters), `channel`, `pool`, `bare_client`, `payload` |
| how it goes over the wire | `responses_client`, `responses_body`, `responses_answer`; `chat_` the same |
| how a ChatGPT plan is asked | `chatgpt_client`, `chatgpt_body` (what it takes), `chatgpt_complaints` |
| what is left of a plan | `account_limits` |
| what goes wrong, and what then | `errors` (the tree), `failures` (from the SDK to the tree), `retries`, `fallback` |
| what is made of an answer | `structured` (checked JSON), `code_fences`, `prices` |
| how to watch it | `progress` |

This folder uses nothing else of the package.
"""
