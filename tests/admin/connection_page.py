"""The test of the connection, as an administrator presses its button."""

from __future__ import annotations

from typing import Any

from psc_connect.diagnosis import Finding
from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.admin.pages import Administrator
from tests.conftest import client_of


def without_warnings(provider: Provider, simulator: Simulator, settings: Any) -> Provider:
    """Give the provider a place on a site for real people, whose addresses are on this machine."""
    settings.PSC_CONNECT_BASE_URL = "http://127.0.0.1"
    simulator.register(client_of(host="http://127.0.0.1"))
    provider.environment = "custom"
    provider.save()
    return provider


def finding_of(admin: Administrator, provider: Provider, check: str) -> Finding:
    """Press the button; return the only finding of a check."""
    lines = admin.press(provider, "connection").context["lines"]
    (finding,) = [line["finding"] for line in lines if line["finding"].check == check]
    return finding


def outcome(admin: Administrator, provider: Provider) -> dict[str, tuple[str, str]]:
    """Press the button; return each check with its status and code."""
    response = admin.press(provider, "connection")
    assert response.status_code == 200
    findings = [line["finding"] for line in response.context["lines"]]
    for finding in findings:
        assert finding.text
        assert finding.code in response.content.decode()
    return {finding.check: (finding.status.value, finding.code) for finding in findings}
