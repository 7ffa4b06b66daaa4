"""Complete logins, each in a new browser, one at a time or in parallel."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from django.db import connections
from django.utils import timezone

from psc_connect.models import ProviderFetchTimes
from tests.support.browser_session import PAGE, BrowserSession


def sign_in_once(_number: int = 0) -> Any:
    """Sign in with a new browser; return the response of the callback."""
    person = BrowserSession()
    try:
        return person.sign_in(PAGE)
    finally:
        person.close()


def in_parallel(workers: int, work: Any = sign_in_once) -> list[Any]:
    """Run ``work`` in threads that start at the same time; return the results."""
    barrier = threading.Barrier(workers)

    def run(number: int) -> Any:
        barrier.wait()
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, range(workers)))


def reached_page(response: Any) -> bool:
    return response.status_code == 302 and response["Location"] == PAGE


def age_keys(by: timedelta = timedelta(hours=24, minutes=1)) -> None:
    ProviderFetchTimes.objects.update(jwks_updated_at=timezone.now() - by)
