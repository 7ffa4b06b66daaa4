"""The administrators' pages."""

from __future__ import annotations

from psc_connect.admin.accounts.admin import AccountAdmin, UnlinkedAccountAdmin
from psc_connect.admin.accounts.details import AccountChangeAdmin
from psc_connect.admin.provider.admin import ProviderAdmin

__all__ = ["AccountAdmin", "AccountChangeAdmin", "ProviderAdmin", "UnlinkedAccountAdmin"]
