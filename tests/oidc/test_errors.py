"""Error codes: each is raised somewhere and has a sentence."""

from __future__ import annotations

import re

import pytest

from psc_connect.oidc.error_codes import CODES, sentence
from psc_connect.oidc.errors import IDTokenError, OIDCError, UserinfoError
from tests.oidc.raised_codes import Sources, package_texts

STAGES = re.compile(r"(id_token|metadata|jwks_key|jwks|provider|userinfo|token|authorization)_(.+)")


def test_error_with_an_unknown_code_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="not a code"):
        OIDCError("token_of_no_code")


def test_error_has_the_code_and_its_sentence() -> None:
    error = OIDCError("token_refused")
    assert error.code == "token_refused"
    assert str(error) == f"token_refused: {CODES['token_refused']}"


@pytest.mark.parametrize("code", CODES)
def test_code_begins_with_its_stage_and_has_a_sentence(code: str) -> None:
    assert STAGES.fullmatch(code)
    assert re.fullmatch(r"[A-Z`].*[.?]", sentence(code))
    assert "{what}" not in sentence(code)


def test_every_code_is_raised_somewhere() -> None:
    assert sorted(CODES.keys() - Sources(package_texts()).raised()) == []


def test_code_that_is_no_longer_raised_is_detected() -> None:
    mutations = {
        'raise ProviderUnavailable("provider_busy")': "pass",  # a whole code
        '_refuse(error, "encrypted")': "pass",  # an ending, under either stage
        'self._problem("issuer", "host_is_an_address")': "pass",
        'raise _UnusableKeyError("exponent")': "pass",
        'Rule("at_hash", f"{_CORE} 3.1.3.8", _at_hash),': "",  # a rule that is not checked
        '"invalid_grant": "token_invalid_grant",': "",  # an entry of a table
        '"userinfo_list_too_long"': '"userinfo_text_refused"',
    }
    sources = "\0".join(package_texts())
    for old, new in mutations.items():
        assert old in sources
        sources = sources.replace(old, new)
    assert CODES.keys() - Sources(sources.split("\0")).raised() == {
        "provider_busy",
        "id_token_encrypted",
        "userinfo_encrypted",
        "metadata_host_is_an_address",
        "jwks_key_exponent",
        "id_token_at_hash_mismatch",
        "token_invalid_grant",
        "userinfo_list_too_long",
    }


def test_codes_are_read_only() -> None:
    with pytest.raises(TypeError):
        CODES["token_refused"] = "x"  # type: ignore[index]


def test_stage_of_a_token_error_is_the_prefix_of_its_codes() -> None:
    assert (IDTokenError.stage, UserinfoError.stage) == ("id_token", "userinfo")
