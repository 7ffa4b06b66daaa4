"""Findings of a connection test: what was checked, the result, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from django.utils.translation import gettext_lazy as _


class Status(str, Enum):
    """How serious a finding is, from the least serious to the most."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"


# The label of each check.
LABELS = {
    "addresses": _("addresses"),
    "clock": _("clock"),
    "connection": _("connection"),
    "credentials": _("client id and secret"),
    "declaration": _("declaration"),
    "keys": _("signing keys"),
    "metadata": _("metadata"),
    "names": _("names (DNS)"),
    "settings": _("settings"),
    "tls": "TLS",
    "outgoing_connection": _("outgoing connection"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check.

    ``check`` and ``code`` are stable. ``text`` and ``advice`` are in the active language.
    """

    check: str
    status: Status
    code: str
    text: str
    advice: str = ""

    @property
    def label(self) -> str:
        """The name of the check: two checks may have the same code."""
        return str(LABELS[self.check])


def worst(findings: list[Finding]) -> Status:
    """Return the most serious status; passed if there is no finding."""
    order = list(Status)
    return max((finding.status for finding in findings), key=order.index, default=Status.PASSED)
