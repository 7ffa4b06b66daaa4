"""What a faulty or hostile provider does with a connection."""

from __future__ import annotations

from typing import Any

from .calls import TOKENS
from .raw_server import Connection, reply

HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def writing(*parts: bytes, then: str = "hang") -> Any:
    """Answers the first request with these bytes, then hangs, closes or resets."""

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
    """Sends as long as somebody reads, 100 MB at most."""

    def behave(connection: Connection) -> None:
        connection.receive()
        connection.send(before)
        while connection.server.sent < 100_000_000:
            connection.send(piece)

    return behave


def closing_the_second_time(how: str) -> Any:
    """A keep-alive that ends just as the next request arrives."""

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
