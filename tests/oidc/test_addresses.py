"""Where a provider is looked for, and what is this machine."""

from __future__ import annotations

import pytest

from psc_connect.oidc.metadata import discovery_candidates, is_loopback


def test_discovery_is_looked_for_where_psc_has_it_first() -> None:
    issuer = "https://auth.example.test/realms/x"
    names = ("wallet-openid-configuration", "openid-configuration")
    assert discovery_candidates(f"{issuer}/") == tuple(f"{issuer}/.well-known/{name}" for name in names)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.255.255.255", True),
        ("::1", True),
        ("localhost", True),
        ("128.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("2130706433", False),
        ("localhost.test", False),
        ("", False),
    ],
)
def test_loopback_is_recognised_in_its_plain_spellings_only(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
