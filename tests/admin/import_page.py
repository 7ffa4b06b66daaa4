"""The page that imports a configuration, as an administrator uses it."""

from __future__ import annotations

import json
from typing import Any

from tests.admin.pages import LIST, Administrator

IMPORT = f"{LIST}import/"
SECRET = "env:PSC_CONNECT_SECRET_PROD"
PRODUCTION = {"environment": "production", "client_id": "c", "client_secret": SECRET}


def document(*declarations: dict[str, Any]) -> str:
    return json.dumps({"psc_connect": 1, "providers": declarations})


def show(admin: Administrator, text: str) -> Any:
    return admin.browser.post(IMPORT, {"text": text})


def accept(admin: Administrator, shown: Any) -> Any:
    assert shown.context["payload"], shown.content.decode()
    return admin.browser.post(IMPORT, {"payload": shown.context["payload"]})


def problems_of(response: Any) -> str:
    """Return the problems of the page, which offers nothing to accept."""
    assert response.status_code == 200
    assert not response.context["payload"]
    return " ".join(f"{problem.where}: {problem.text}" for problem in response.context["problems"])
