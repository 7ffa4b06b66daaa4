"""The admin of psc_connect: one package for each page, and shared modules beside them."""

from __future__ import annotations

from psc_connect.admin.accounts.admin import AccountAdmin, UnlinkedAccountAdmin
from psc_connect.admin.accounts.details import AccountChangeAdmin
from psc_connect.admin.provider.admin import ProviderAdmin

__all__ = ["AccountAdmin", "AccountChangeAdmin", "ProviderAdmin", "UnlinkedAccountAdmin"]
