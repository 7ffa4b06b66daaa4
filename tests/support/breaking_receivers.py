"""Receivers of the site that break."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.dispatch import Signal


def breaks(**_said: Any) -> None:
    raise RuntimeError("the receiver of the site broke")


@contextmanager
def breaking_receiver(signal: Signal) -> Iterator[None]:
    """Break every request that sends the signal."""
    signal.connect(breaks)
    try:
        yield
    finally:
        signal.disconnect(breaks)
