"""An OpenAI-compatible HTTP server over every way to reach the models."""
