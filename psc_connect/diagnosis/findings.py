"""Findings of a connection test: what was checked, the result, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from psc_connect.administrator_messages import explained

if TYPE_CHECKING:
    from psc_connect.oidc.errors import OIDCError


class Status(str, Enum):
    """How serious a finding is, from the least serious to the most."""

    PASSED = "passed"
    NOT_JUDGED = "not_judged"
    WARNING = "warning"
    FAILED = "failed"


# The word for each status.
WORDS = {
    Status.PASSED: _("passed"),
    Status.NOT_JUDGED: _("not judged"),
    Status.WARNING: _("warning"),
    Status.FAILED: _("failed"),
}
# The label of each check.
LABELS = {
    "addresses": _("addresses"),
    "authorization": _("authorization endpoint"),
    "clock": _("clock"),
    "connection": _("connection"),
    "credentials": _("client id and secret"),
    "declaration": _("declaration"),
    "end_session": _("sign-out"),
    "keys": _("signing keys"),
    "metadata": _("metadata"),
    "names": _("names (DNS)"),
    "settings": _("settings"),
    "tls": "TLS",
    "outgoing_connection": _("outgoing connection"),
    "userinfo": _("userinfo endpoint"),
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


def failure(check: str, exc: OIDCError) -> Finding:
    """Return the finding for an error of the protocol. It names the URL that was requested, if there is one."""
    return Finding(check, Status.FAILED, exc.code, described(explained(exc), exc.detail))


def described(text: str, detail: str) -> str:
    """Return a text with the provider's own error, if there is one."""
    return f"{text} ({detail})" if detail else text


def worst(findings: list[Finding]) -> Status:
    """Return the most serious status; passed if there is no finding."""
    order = list(Status)
    return max((finding.status for finding in findings), key=order.index, default=Status.PASSED)
