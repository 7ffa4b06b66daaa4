"""Discovery URLs, and recognition of loopback hosts."""

from __future__ import annotations

import pytest

from psc_connect.oidc.metadata import discovery_candidates, is_loopback


def test_path_of_psc_is_the_first_discovery_url() -> None:
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
def test_loopback_is_recognised_in_its_usual_spellings_only(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
