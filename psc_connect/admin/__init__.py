"""The administrators' pages."""

from __future__ import annotations

from psc_connect.admin.account_details import AccountChangeAdmin
from psc_connect.admin.accounts import AccountAdmin, UnlinkedAccountAdmin
from psc_connect.admin.provider import ProviderAdmin

__all__ = ["AccountAdmin", "AccountChangeAdmin", "ProviderAdmin", "UnlinkedAccountAdmin"]
