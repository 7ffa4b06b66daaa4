"""A recorder of all log lines and warnings of a run, which finds secrets and identities in them (LG01, LG02)."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from psc_connect.diagnosis.browser_endpoint_checks import TEST_LOGIN
from psc_connect.signals import signed_in
from psc_connect.simulator import Simulator
from psc_connect.simulator.faults import Faults
from psc_connect.simulator.http_messages import Request, Response
from psc_connect.simulator.people import PEOPLE

STANDARD_ATTRIBUTES = set(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime"}
# JSON web tokens, and what we encrypt: cookies, ID tokens in sessions, client secrets.
SECRET_SHAPES = re.compile(r"eyJ[\w-]{16,}|gAAAA[\w-]{16,}")
SECRET_PARAMETERS = {
    "code": 16,
    "state": 16,
    "nonce": 16,
    "code_verifier": 16,
    "client_secret": 8,
    "access_token": 16,
    "refresh_token": 16,
    "id_token": 16,
    "id_token_hint": 16,
}


class LogRecorder(logging.Handler):
    """Keeps every line of every logger, and the secrets that none of them may contain."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: set[tuple[str, str]] = set()
        self.secrets: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        # The browsers of the tests use requests too, which logs the addresses that they open.
        if record.name.startswith(("urllib3", "requests")) and not _is_called_by_package():
            return
        self.lines.add((record.name, _text_of(record)))

    def learn(self, kind: str, value: object, at_least: int = 6) -> None:
        if isinstance(value, str) and len(value) >= at_least:
            self.secrets.setdefault(value, kind)

    def learn_parameters(self, pairs: Any) -> None:
        for name, value in pairs:
            if name in SECRET_PARAMETERS and value not in (TEST_LOGIN.state, TEST_LOGIN.nonce):
                self.learn(name, value, SECRET_PARAMETERS[name])

    def learn_person(self, claims: Any) -> None:
        for name in ("SubjectNameID", "preferred_username", "family_name", "given_name", "sub"):
            self.learn(name, claims.get(name))
        self.learn("sub", str(claims.get("sub", "")).rpartition(":")[2])

    def leaks(self) -> list[str]:
        """Return every line that contains a secret, with the secret replaced."""
        found = [
            f"{name}: {SECRET_SHAPES.sub('<token>', text)}" for name, text in self.lines if SECRET_SHAPES.search(text)
        ]
        all_text = "\n".join(text for _name, text in self.lines)
        for secret, kind in list(self.secrets.items()):
            if secret in all_text:
                found += [f"{name}: {text.replace(secret, f'<{kind}>')}" for name, text in self.lines if secret in text]
        return found

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Record every logger at level DEBUG, those that do not propagate included."""
        loggers = [logging.getLogger(), logging.getLogger("django.server")]
        before = [(logger, logger.level) for logger in (*loggers, logging.getLogger("django"))]
        for person in PEOPLE:
            self.learn_person(person.userinfo)
        signed_in.connect(self._learn_login, dispatch_uid="recorder")
        for logger, _level in before:
            logger.setLevel(logging.DEBUG)
        for logger in loggers:
            logger.addHandler(self)
        try:
            yield
        finally:
            signed_in.disconnect(dispatch_uid="recorder")
            for logger in loggers:
                logger.removeHandler(self)
            for logger, level in before:
                logger.setLevel(level)

    def _learn_login(self, *, request: Any, claims: Any, **_kwargs: Any) -> None:
        self.learn("session key", request.session.session_key)
        self.learn_person(claims)


class RecordingFaults(Faults):
    """Faults that tell the recorder the secrets in every request and response of a simulator."""

    def __init__(self, recorder: LogRecorder) -> None:
        super().__init__()
        self.recorder = recorder

    def answer_instead(self, request: Request) -> Response | None:
        self.recorder.learn_parameters((*request.query_pairs, *request.form_pairs))
        scheme, _space, token = request.headers.get("authorization", "").partition(" ")
        self.recorder.learn(f"{scheme} credentials", token, 16)
        return super().answer_instead(request)

    def change_answer(self, request: Request, response: Response) -> Response:
        self.recorder.learn_parameters(parse_qsl(urlsplit(response.header("Location")).query))
        changed = super().change_answer(request, response)
        if request.endpoint == "token" and len(changed.body) < 100_000:
            with contextlib.suppress(ValueError, AttributeError):
                self.recorder.learn_parameters(json.loads(changed.body).items())
        return changed


def _is_called_by_package() -> bool:
    frame = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("psc_connect.oidc"):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _text_of(record: logging.LogRecord) -> str:
    parts = [record.getMessage(), *_errors_of(record)]
    # What monitoring tools such as Sentry also send, in particular `request`.
    parts += [f"{name}={value!r}" for name, value in record.__dict__.items() if name not in STANDARD_ATTRIBUTES]
    return "\n".join(parts)


def _errors_of(record: logging.LogRecord) -> Iterator[str]:
    """Yield the texts of a record's exception and of its causes.

    Without the lines of a traceback: they are source code, which has no secret, and are slow to format. Django logs
    every name that a template lacks with an exception.
    """
    error = record.exc_info[1] if record.exc_info else None
    while error is not None:
        yield from (f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ()))
        error = error.__cause__ or error.__context__


RECORDER = LogRecorder()


def record_simulator(simulator: Simulator) -> Simulator:
    """Tell the recorder of the run the secrets of this simulator."""
    simulator.faults = RecordingFaults(RECORDER)
    return simulator
