"""From Chat Completions to the Responses API: requests of chat clients, answers of chat servers."""
