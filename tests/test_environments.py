"""The shipped metadata of ANS's environments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from psc_connect.environments import ENVIRONMENTS, load_metadata
from psc_connect.oidc.metadata import parse_metadata

PUBLISHED = Path(__file__).parent / "data" / "metadata"


def test_the_environments_are_those_of_ans() -> None:
    assert {f"{name}.json" for name in ENVIRONMENTS} == {path.name for path in PUBLISHED.iterdir()}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_shipped_metadata_equals_the_published_one(name: str) -> None:
    published = json.loads((PUBLISHED / f"{name}.json").read_text("utf-8"))
    shipped = load_metadata(name)
    assert list(shipped.items()) == list(published.items())


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_shipped_metadata_is_valid(name: str) -> None:
    metadata = parse_metadata(load_metadata(name), sibling_hosts=True)
    assert metadata.issuer == load_metadata(name)["issuer"]
    assert metadata.end_session_endpoint
    assert metadata.jwks_uri


@pytest.mark.case("TN04")
def test_no_two_environments_share_an_issuer() -> None:
    assert len({load_metadata(name)["issuer"] for name in ENVIRONMENTS}) == len(ENVIRONMENTS)


def test_every_call_returns_a_new_object() -> None:
    load_metadata("sandbox").clear()
    assert load_metadata("sandbox")
