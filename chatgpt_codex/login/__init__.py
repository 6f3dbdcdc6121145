"""Sign in with ChatGPT, keep the tokens, renew them, and sign requests with them.

| to find out | read |
|---|---|
| what can be done with accounts | `accounts` (start here) |
| how people sign in | `browser_flow` (also pasted), `device_flow`; both end in `signing_in`, and tell `steps` |
| what the browser meets | `authorization`, `callback_server`, `callback_page` |
| who is asked, and as whom | `settings`, `provider`, `id_token` |
| what tokens are, where they lie | `tokens`; `store`: `keyring_place`, `file_place`, `environment_place`; `legacy` |
| how they are renewed | `credential` (when), `renewal` (with `lease`), `renewal_call`, `renewal_process`, `journal` |
| what goes wrong | `errors` |

Threads and processes: a `ChatGPTCredential` serves any number of loops and threads; any number of processes may use one
account. Everything that changes its tokens holds the account's lease.
"""
