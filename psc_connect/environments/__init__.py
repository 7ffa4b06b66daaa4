"""The provider metadata that ANS publishes for each environment of Pro Santé Connect."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

ENVIRONMENTS = ("production", "sandbox", "sandbox-2020")


def load_metadata(environment: str) -> dict[str, Any]:
    """Return the metadata of ``production``, ``sandbox`` or ``sandbox-2020`` (whose hosts no longer exist)."""
    metadata: dict[str, Any] = json.loads((resources.files(__name__) / f"{environment}.json").read_text("utf-8"))
    return metadata


@cache
def environment_of_issuer(issuer: str) -> str:
    """Return the environment of an ANS issuer, or "" for another issuer."""
    return next((name for name in ENVIRONMENTS if load_metadata(name)["issuer"] == issuer), "")
