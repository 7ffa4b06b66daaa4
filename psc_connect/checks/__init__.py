"""What ``manage.py check`` finds: in the settings always, in the providers with ``--database``. Ids: docs/checks.md."""

from __future__ import annotations

from psc_connect.checks import nomenclatures, providers, settings

__all__ = ["nomenclatures", "providers", "settings"]
