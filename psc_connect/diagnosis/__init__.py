"""Connection test of one provider: everything that a login needs, examined without changing anything."""

from __future__ import annotations

from psc_connect.diagnosis.diagnose import Diagnosis, diagnose
from psc_connect.diagnosis.findings import WORDS, Finding, Status, worst
from psc_connect.diagnosis.local_checks import check_settings

__all__ = ["WORDS", "Diagnosis", "Finding", "Status", "check_settings", "diagnose", "worst"]
