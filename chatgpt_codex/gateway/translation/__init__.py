"""Between the Responses API and Chat Completions, both ways; nothing here reads or writes anything but its arguments.

| folder or module | turns |
|---|---|
| `to_responses` | a Chat Completions request, stream or answer into one of the Responses API |
| `to_chat` | a Responses request, stream or answer into one of Chat Completions |
| `sse` | bytes of an event stream into JSON objects, and events into bytes |
| `gathering` | the events of a Response into the Response |
| `response_object` | a Responses request into the Response that echoes it |
| `usage`, `annotations`, `logprobs` | the small things that both APIs have under other names |
| `failures` | what a server says went wrong into our errors, and those into that of a failed Response |
| `tool_names` | the names of tools from one API to the other and back |
| `translated` | holds a translated request, and what of it was dropped |

Both folders have the same modules: `request`, `messages`, `tools` for what goes in, `stream` and `answer` for what
comes out.
"""
