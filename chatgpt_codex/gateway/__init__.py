"""An OpenAI-compatible HTTP server over every way to reach the models.

| to find out | read |
|---|---|
| what it can be told | `settings` |
| how it is started | `server`, `__main__`, the command `chatgpt-codex serve` |
| where a request comes in, and how a route is added | `app`, `exchange` |
| who is let in | `guard`, `access_keys`, `key_file` |
| who waits, and how long | `admission`, `service` |
| who answers | `routing`, `backends/` (`backends/backend` is the seam, `backends/registry` names them all) |
| how a request is answered | `create`, `relay` (byte for byte; `whole_events`), `translation/` (between the two APIs) |
| what a request and an answer lose on the way | `headers`, `request_body`, `left_out` |
| what goes wrong | `errors`, `api_errors`, `backends/upstream_errors` |
| what is counted and logged | `metrics`, `access_log`, `health_api` |
"""
