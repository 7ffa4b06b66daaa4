"""Transactions and failures of the site's database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections

from psc_connect.simulator import Simulator
from psc_connect.simulator.http_messages import Request, Response
from tests.support.browser_session import BACK_CHANNEL
from tests.support.log_recorder import RECORDER, RecordingFaults, record_simulator


class TransactionRecorder(RecordingFaults):
    """Records for each request of the site whether its database connection is in a transaction."""

    def __init__(self) -> None:
        super().__init__(RECORDER)
        # The connection of the test's thread, which runs the site; the simulator answers in another thread.
        self.connection = connections[DEFAULT_DB_ALIAS]
        self.in_transaction: list[bool] = []

    def answer_instead(self, request: Request) -> Response | None:
        if request.endpoint in BACK_CHANNEL:
            self.in_transaction.append(self.connection.in_atomic_block)
        return super().answer_instead(request)


@contextmanager
def watching_transactions(simulator: Simulator) -> Iterator[list[bool]]:
    """Yield a list that tells for each request of the site whether it was in a transaction."""
    simulator.faults = recorder = TransactionRecorder()
    try:
        yield recorder.in_transaction
    finally:
        record_simulator(simulator)


@contextmanager
def failing_statements(table: str) -> Iterator[None]:
    """Make every statement about a table fail."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if table in sql:
            raise OperationalError("the database is out of order")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield
