"""An OpenAI API server that needs no key: default or scripted answers, and faults on demand.

| I want to | module |
|---|---|
| serve it from a test or a tool | `simulator` |
| serve it for people | `server` (`serve`), the command `chatgpt-codex simulate` |
| write a script | `script` (the format), `chatgpt_script` (what is about plans), `matching` (which rule answers) |
| know what it answers | `default_answer`, `schema_sample`, `answers` |
| know what goes over the wire | `responses_wire`, `chat_wire`, `events`, `exchange` |
| know what it refuses | `validation`, `responses_request`, `chat_request`, `strict_schema`, `model_rules`, `keys` |
| have a ChatGPT plan | `chatgpt_api`, `chatgpt_rules` (what it refuses), `chatgpt_errors` |
| see what it saw | `recording` |
"""

from .recording import RecordedRequest
from .script import Script, ScriptError, load_script, parse_script
from .server import serve
from .simulator import Simulator

__all__ = ["RecordedRequest", "Script", "ScriptError", "Simulator", "load_script", "parse_script", "serve"]
