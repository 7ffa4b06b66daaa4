"""One line of a diagnosis: what was looked at, what it means, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Status(str, Enum):
    """In the order of their weight."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """``check`` and ``code`` are stable; ``text`` and ``advice`` are in the language of whoever asked."""

    check: str
    status: Status
    code: str
    text: str
    advice: str = ""


def worst(findings: list[Finding]) -> Status:
    order = list(Status)
    return max((finding.status for finding in findings), key=order.index, default=Status.PASSED)
