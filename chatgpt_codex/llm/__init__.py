"""Ask a model: messages, requests, results, what each model takes, errors, retries, and the Responses API.

| to find out | read |
|---|---|
| how to ask one whole question | `asking` |
| what goes in and out | `messages`, `requests`, `results`, `events` |
| how people write it as plain JSON | `dialects` |
| what a model takes | `catalogue` (data), `profiles` (look-up), `strict_mode` (schemas) |
| who asks whom | `credentials`, `endpoint` |
| how it goes over the wire | `responses_body`, `responses_client`, `responses_answer`, `pool`, `payload` |
| what goes wrong, and what then | `errors` (the tree), `failures` (from the SDK to the tree), `retries`, `fallback` |
| what is made of an answer | `structured` (checked JSON), `code_fences`, `prices` |
| how to watch it | `progress` |

This folder uses nothing else of the package.
"""
