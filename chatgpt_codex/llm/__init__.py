"""Ask a model: messages, requests, results, what each model takes, errors, retries, and the Responses API.

| to find out | read |
|---|---|
| what goes in and out | `messages`, `requests`, `results`, `events` |
| what a model takes | `catalogue` (data), `profiles` (look-up) |
| who asks whom | `credentials`, `endpoint` |
| how it goes over the wire | `responses_body`, `responses_client`, `responses_answer`, `pool` |
| what goes wrong, and what then | `errors` (the tree), `failures` (from the SDK to the tree), `retries` |
| how to watch it | `progress` |

This folder uses nothing else of the package.
"""
