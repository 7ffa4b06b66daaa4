"""Behaviours of a faulty or hostile provider, for `raw_server`."""

from __future__ import annotations

from typing import Any

from .calls import TOKENS
from .raw_server import Connection, reply

HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def writing(*parts: bytes, then: str = "hang") -> Any:
    """Answer the first request with these bytes, then hang, close or reset the connection."""

    def behave(connection: Connection) -> None:
        connection.receive()
        for part in parts:
            connection.send(part)
        if then == "hang":
            connection.hang()
        elif then == "reset":
            connection.reset()

    return behave


def dripping(data: bytes, *, before: bytes = b"", every: float = 0.05) -> Any:
    def behave(connection: Connection) -> None:
        connection.receive()
        connection.send(before)
        connection.drip(data, every)

    return behave


def endless(before: bytes, piece: bytes) -> Any:
    """Send as long as the client reads, at most 100 MB."""

    def behave(connection: Connection) -> None:
        connection.receive()
        connection.send(before)
        while connection.server.sent < 100_000_000:
            connection.send(piece)

    return behave


def closing_the_second_time(how: str) -> Any:
    """Close a keep-alive connection just as the next request arrives."""

    def behave(connection: Connection) -> None:
        for count, _ in enumerate(connection.requests()):
            if connection.number == 1 and count == 1:
                if how == "half":
                    connection.send(b"HTTP/1.1 20")
                if how == "reset":
                    connection.reset()
                return
            connection.send(reply(TOKENS))

    return behave
