"""One line of a diagnosis: what was looked at, what it means, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from django.utils.translation import gettext_lazy as _


class Status(str, Enum):
    """In the order of their weight."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"


# What each check is called.
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
    "way_out": _("way out"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """``check`` and ``code`` are stable; ``text`` and ``advice`` are in the language of whoever asked."""

    check: str
    status: Status
    code: str
    text: str
    advice: str = ""

    @property
    def label(self) -> str:
        """What was looked at: two checks may find the same."""
        return str(LABELS[self.check])


def worst(findings: list[Finding]) -> Status:
    order = list(Status)
    return max((finding.status for finding in findings), key=order.index, default=Status.PASSED)
