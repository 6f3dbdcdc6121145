"""The local Codex agent: its `app-server` as a child process, spoken to in JSON-RPC.

| module | owns |
|---|---|
| `settings` | what the operator decides, from the environment |
| `binary` | where the program is, and how to install it |
| `command` | with which arguments and environment it runs |
| `operator_config` | what the operator's own config.toml says that matters here |
| `sandbox` | what its commands may see and change |
| `toml` | values as its settings are written |
| `catalogue` | its models, so described that they call functions directly |
| `json_rpc` | requests, answers and notifications over two streams |
| `inbox` | the notifications of one thread, for one reader |
| `app_server` | one process, from its start to its end |
| `supervision` | always one that can answer: start, restart, recycle, drain |
| `account` | who is signed in, signing in and out, what is left of the plan |
| `turn` | one request to the model, and its end whatever happens |
| `errors` | what goes wrong |
"""
