"""Integrations with other software. The rest of the package does not depend on them."""
