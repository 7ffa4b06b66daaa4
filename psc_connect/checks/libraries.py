"""The libraries that judge tokens and speak to the provider, each no older than its weaknesses are mended."""

from __future__ import annotations

import re
from importlib import metadata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# The floors of pyproject.toml, said again because a site can force older ones in by hand.
FLOORS: Final = {
    "PyJWT": "2.15.1",
    "cryptography": "50",
    "josepy": "2.1",
    "mozilla-django-oidc": "5.0.2",
    "requests": "2.33",
    "urllib3": "2.8",
}


def outdated() -> Iterator[tuple[str, str, str]]:
    """Yield ``(library, version, floor)`` of each that is installed and too old."""
    for name, floor in FLOORS.items():
        version = metadata.version(name)
        if _numbers(version) < _numbers(floor):
            yield name, version, floor


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
