"""System checks of settings, libraries and code tables, and with ``--database`` of providers (docs/checks.md)."""

from __future__ import annotations

from psc_connect.checks import libraries, nomenclatures, overrides, providers, sessions, settings

__all__ = ["libraries", "nomenclatures", "overrides", "providers", "sessions", "settings"]
