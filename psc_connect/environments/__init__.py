"""The provider metadata that ANS publishes for each environment, as data."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

ENVIRONMENTS = ("production", "sandbox", "sandbox-2020")


def load_metadata(environment: str) -> dict[str, Any]:
    """Return the metadata document of ``production``, ``sandbox`` or ``sandbox-2020`` (whose hosts are closed)."""
    document: dict[str, Any] = json.loads((resources.files(__name__) / f"{environment}.json").read_text("utf-8"))
    return document


@cache
def environment_of_issuer(issuer: str) -> str:
    """Return the name of the document that ANS publishes for the issuer, or "" for an issuer of somebody else's."""
    return next((name for name in ENVIRONMENTS if load_metadata(name)["issuer"] == issuer), "")
