"""``psc_configure --discovery-url``, and declarations of one issuer that differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.configuration.commands import configure, everything, write
from tests.conftest import CLIENT_SECRET
from tests.support.browser_session import PAGE, BrowserSession
from tests.support.key_sets import EC_KEY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
SECRET = "env:PSC_CONNECT_SECRET_SIMULATED"
OPTIONS = ("--slug=psc", "--environment=custom", "--client-id=the-client", f"--client-secret={SECRET}")


@pytest.fixture
def secret(simulator: Simulator, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSC_CONNECT_SECRET_SIMULATED", CLIENT_SECRET)
    settings.PSC_CONNECT_SECRET_ISSUERS = {SECRET: simulator.issuer}


# Fetched metadata.


@pytest.mark.parametrize(
    "end", ["", "/", "/.well-known/wallet-openid-configuration", "/.well-known/openid-configuration"]
)
@pytest.mark.usefixtures("secret")
def test_a_provider_is_declared_by_its_issuer_or_its_discovery_url(simulator: Simulator, end: str) -> None:
    url = f"--discovery-url={simulator.issuer}{end}"
    called = configure(*OPTIONS, url)
    assert called.status == 0
    assert Provider.objects.get().metadata == simulator.metadata
    assert BrowserSession().sign_in(PAGE)["Location"] == PAGE
    assert configure(*OPTIONS, url).text.startswith("psc: no changes\n")


@pytest.mark.usefixtures("secret")
def test_the_discovery_url_can_be_an_environment_variable(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PSC_CONNECT_PROVIDER_DISCOVERY_URL", simulator.issuer)
    configure(*OPTIONS)
    assert Provider.objects.get().metadata == simulator.metadata


@pytest.mark.usefixtures("secret")
def test_the_path_of_the_standard_is_asked_where_there_is_none_of_pro_sante_connect(simulator: Simulator) -> None:
    with simulator.fault("answer", endpoint="metadata", status=404, times=1):
        configure(*OPTIONS, f"--discovery-url={simulator.issuer}")
    paths = [request.path for request in simulator.requests if request.endpoint == "metadata"]
    assert [path.rpartition("/")[2] for path in paths] == ["wallet-openid-configuration", "openid-configuration"]
    assert Provider.objects.get().metadata == simulator.metadata


@pytest.mark.case("NW01")
@pytest.mark.parametrize("end", ["", "/.well-known/openid-configuration"])
@pytest.mark.parametrize("issuer", ["{origin}/auth/realms/a", "https://another.example", "{origin}"])
def test_a_document_of_another_issuer_is_refused_and_nothing_is_saved(
    simulator: Simulator, end: str, issuer: str
) -> None:
    before = everything()
    with simulator.fault("metadata_members", members={"issuer": issuer.format(origin=simulator.origin)}):
        called = configure(*OPTIONS, f"--discovery-url={simulator.issuer}{end}")
    assert called.status == 2
    assert "--discovery-url: issuer: The document names another issuer" in called.text
    assert everything() == before
    assert {request.endpoint for request in simulator.requests} == {"metadata"}


@pytest.mark.case("NW01")
def test_the_metadata_of_the_simulator_is_compared_too(simulator: Simulator, settings: Any) -> None:
    settings.PSC_CONNECT_SIMULATOR_URL = simulator.origin
    with simulator.fault("metadata_members", members={"issuer": simulator.origin + "/auth/realms/a"}):
        called = configure("--environment=simulator", "--client-id=the-client")
    assert called.status == 2
    assert "environment: The document names another issuer" in called.text
    assert not Provider.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/realms/x",
        "https://169.254.169.254",
        "file:///etc/passwd",
        "nowhere",
        "https://[",
        "caf\udce9",
    ],
)
def test_what_cannot_be_fetched_is_an_error(url: str) -> None:
    called = configure(*OPTIONS, f"--discovery-url={url}")
    assert called.status == 2
    assert "--discovery-url: " in called.text
    assert not Provider.objects.exists()


@pytest.mark.parametrize(
    ("status", "text"), [(404, "has nothing at this URL (404)"), (403, "refused the request (4xx)")]
)
@pytest.mark.usefixtures("secret")
def test_a_host_alone_that_fails_names_the_url_that_was_asked(simulator: Simulator, status: int, text: str) -> None:
    with simulator.fault("answer", endpoint="metadata", status=status, body=b"{}"):
        called = configure(*OPTIONS, f"--discovery-url={simulator.issuer}")
    assert called.status == 2
    asked = f"{simulator.issuer}/.well-known/openid-configuration"
    assert f"--discovery-url: {asked} – The provider {text}" in called.text


def test_a_host_without_https_names_the_url_that_it_would_be() -> None:
    called = configure(*OPTIONS, "--discovery-url=sso.example.org")
    assert "--discovery-url: sso.example.org/.well-known/wallet-openid-configuration – " in called.text


def test_the_url_is_named_without_its_password() -> None:
    called = configure(*OPTIONS, "--discovery-url=https://me:p-5b1@169.254.169.254/x?key=k-77")
    assert "--discovery-url: https://169.254.169.254/x" in called.text
    assert "p-5b1" not in called.text
    assert "k-77" not in called.text


def test_metadata_and_discovery_url_together_are_an_error(simulator: Simulator) -> None:
    called = configure(*OPTIONS, "--metadata={}", f"--discovery-url={simulator.issuer}")
    assert called.status == 2
    assert "--discovery-url: Give the metadata or the discovery URL, not both." in called.text
    assert simulator.requests == []


@pytest.mark.usefixtures("provider")
def test_another_issuer_is_not_put_in_the_place_of_the_present_one(simulator: Simulator, settings: Any) -> None:
    Provider.objects.update(metadata={**simulator.metadata, "issuer": "https://another.example"})
    called = configure("--slug=psc", "--environment=simulator", f"--discovery-url={simulator.issuer}")
    assert called.status == 2
    assert "--replace-issuer" in called.text


# Declarations of one issuer that differ.


def of_realm_b(simulator: Simulator, **members: Any) -> str:
    moved = {"jwks_uri": simulator.origin + "/auth/realms/b/certs", **members}
    return json.dumps({**simulator.metadata, **moved})


@pytest.mark.case("NW01")
@pytest.mark.usefixtures("provider")
def test_two_declarations_of_one_issuer_differ_by_an_option_of_its_own(simulator: Simulator) -> None:
    options = ("--slug=new", "--environment=custom", "--client-id=c", f"--metadata={of_realm_b(simulator)}")
    before = everything()
    for check in ((), ("--check",)):
        called = configure(*options, *check)
        assert called.status == 2
        for text in ("new.metadata", "as psc too", "jwks_uri", "superusers included", "--confirm-differences"):
            assert text in called.text
    assert everything() == before
    assert configure(*options, "--confirm-differences").status == 0
    # It is not asked about again.
    assert configure(*options).text.startswith("new: no changes\n")


@pytest.mark.case("NW01")
def test_two_declarations_of_one_file_are_compared_with_each_other(simulator: Simulator, tmp_path: Path) -> None:
    common = {"environment": "custom", "client_id": "c"}
    declarations = (
        {**common, "slug": "a", "metadata": simulator.metadata},
        {**common, "slug": "b", "metadata": json.loads(of_realm_b(simulator))},
    )
    called = configure("--file", write(tmp_path, *declarations))
    assert called.status == 2
    assert "a.metadata" in called.text
    assert "b.metadata" in called.text
    same = ({**declarations[0], "slug": "a"}, {**declarations[0], "slug": "b"})
    assert configure("--file", write(tmp_path, *same)).status == 0
    # Both move together.
    both = tuple({**each, "metadata": declarations[1]["metadata"], "metadata_followed": False} for each in same)
    assert configure("--file", write(tmp_path, *both)).status == 0


@pytest.mark.case("NW01")
@pytest.mark.usefixtures("provider")
def test_keys_that_the_other_declaration_lacks_are_a_difference(simulator: Simulator) -> None:
    metadata = f"--metadata={json.dumps(simulator.metadata)}"
    options = ("--slug=new", "--environment=custom", "--client-id=c", metadata)
    jwks = f"--jwks={json.dumps({'keys': [EC_KEY]})}"
    called = configure(*options, jwks)
    assert called.status == 2
    assert "signing keys" in called.text
    assert configure(*options, f"--jwks={json.dumps(simulator.jwks)}").status == 0
    assert configure(*options, jwks, "--confirm-differences").status == 0
