"""Sign in to a Django site with Pro Santé Connect."""

__version__ = "0.1.0"
