"""The site's database, watched and failing."""

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
    """Notes, at each call of the site, whether the site's database connection is in a transaction."""

    def __init__(self) -> None:
        super().__init__(RECORDER)
        # That of the test's thread, where the site runs: the simulator answers in another one.
        self.connection = connections[DEFAULT_DB_ALIAS]
        self.in_transaction: list[bool] = []

    def answer_instead(self, request: Request) -> Response | None:
        if request.endpoint in BACK_CHANNEL:
            self.in_transaction.append(self.connection.in_atomic_block)
        return super().answer_instead(request)


@contextmanager
def watching_transactions(simulator: Simulator) -> Iterator[list[bool]]:
    """Give, for each call of the site inside, whether it was in a transaction."""
    simulator.faults = watching = TransactionRecorder()
    try:
        yield watching.in_transaction
    finally:
        record_simulator(simulator)


@contextmanager
def failing_statements(table: str) -> Iterator[None]:
    """Let the database refuse every statement about a table, as in an accident."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if table in sql:
            raise OperationalError("the database is out of order")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield
