"""What ``manage.py check`` finds: in the settings always, in the providers with ``--database``. Ids: docs/checks.md."""

from __future__ import annotations

from psc_connect.checks import providers, settings

__all__ = ["providers", "settings"]
