"""The codes are stable, complete and said in sentences; an error never repeats input."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import psc_connect
import psc_connect.oidc
from psc_connect.oidc.errors import CODES, IDTokenError, OIDCError, UserinfoError

PACKAGE, ROOM = Path(psc_connect.__file__).parent, Path(psc_connect.oidc.__file__).parent
SOURCE = "".join(path.read_text() for path in PACKAGE.rglob("*.py") if path.name != "codes.py")
STAGES = re.compile(r"(id_token|metadata|jwks_key|jwks|provider|userinfo|token|authorization)_(.+)")


def test_error_with_an_unknown_code_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="no code"):
        OIDCError("token_of_no_code")


def test_error_carries_code_and_detail_and_says_the_sentence() -> None:
    error = OIDCError("token_refused")
    assert (error.code, error.detail) == ("token_refused", "")
    assert str(error) == f"token_refused: {CODES['token_refused']}"
    assert str(OIDCError("token_refused", "fixed text")) == "token_refused: fixed text"


@pytest.mark.parametrize("code", CODES)
def test_code_begins_with_its_stage_and_is_said_in_sentences(code: str) -> None:
    assert STAGES.fullmatch(code)
    assert re.fullmatch(r"[A-Z`].*[.?]", CODES[code])
    assert "{what}" not in CODES[code]


@pytest.mark.parametrize("code", CODES)
def test_every_code_can_come_out(code: str) -> None:
    source = SOURCE
    match = STAGES.fullmatch(code)
    assert match
    stage, ending = match.groups()
    if stage == "authorization":
        source += (ROOM / "codes.py").read_text()
    assert re.search(rf'["_]{ending}"', source)


def test_codes_cannot_be_written_to() -> None:
    with pytest.raises(TypeError):
        CODES["token_refused"] = "x"  # type: ignore[index]


def test_stages_of_the_two_kinds_of_token_are_their_codes_beginnings() -> None:
    assert (IDTokenError.stage, UserinfoError.stage) == ("id_token", "userinfo")


def test_room_imports_no_django_and_nothing_else_of_ours() -> None:
    imports = re.compile(r"^\s*(?:from|import) (\S+)", re.MULTILINE)
    imported = {name for path in ROOM.glob("*.py") for name in imports.findall(path.read_text())}
    assert not [name for name in imported if name.startswith(("django", "mozilla"))]
    assert all(name.startswith("psc_connect.oidc") for name in imported if name.startswith("psc_connect"))
