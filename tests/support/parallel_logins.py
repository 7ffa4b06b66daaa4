"""Whole logins, one or several at once, each in a browser of its own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from django.db import connections
from django.utils import timezone

from psc_connect.models import Provider
from tests.support.browser_session import PAGE, BrowserSession


def sign_in_once(_number: int = 0) -> Any:
    """One login of somebody with a browser of their own; the answer of the callback."""
    person = BrowserSession()
    try:
        return person.sign_in(PAGE)
    finally:
        person.close()


def in_parallel(workers: int, work: Any = sign_in_once) -> list[Any]:
    barrier = threading.Barrier(workers)

    def begin(number: int) -> Any:
        barrier.wait()
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(begin, range(workers)))


def reached_page(response: Any) -> bool:
    return response.status_code == 302 and response["Location"] == PAGE


def age_keys(by: timedelta = timedelta(hours=24, minutes=1)) -> None:
    Provider.objects.update(jwks_updated_at=timezone.now() - by)
