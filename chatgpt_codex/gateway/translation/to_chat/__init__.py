"""From the Responses API to Chat Completions: requests of Responses clients, answers of Responses servers."""
