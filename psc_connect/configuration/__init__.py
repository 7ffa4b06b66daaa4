"""Configuration as code: a declaration as JSON, what would change with it, and how it becomes a provider."""
