"""Mistakes that ``psc_configure`` prevents: replacing a provider by another one, enabling one without a secret."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.utils.translation import override as language

from psc_connect.environments import load_metadata
from psc_connect.models import Provider
from tests.configuration.commands import configure, write

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_way_out", "english")]
SECRET = "env:PSC_CONNECT_SECRET_PROD"


# A provider that exists keeps its environment and issuer.


@pytest.mark.case("CF03", "TN04")
@pytest.mark.parametrize(
    "change",
    [
        {"environment": "sandbox"},
        {"environment": "custom", "metadata": load_metadata("production")},
        {"environment": "custom", "metadata": {**load_metadata("production"), "issuer": "https://auth.esante.example"}},
    ],
    ids=["sandbox", "custom", "issuer"],
)
def test_a_declaration_does_not_replace_a_provider_by_accident(
    production: Provider, tmp_path: Path, settings: Any, change: dict[str, Any]
) -> None:
    settings.PSC_CONNECT_EXTRA_ENDPOINT_HOSTS = ["auth.esw.esante.gouv.fr", "wallet.esw.esante.gouv.fr"]
    file = write(tmp_path, {"slug": "psc", "client_secret": SECRET, **change})
    called = configure("--file", file)
    assert called.status == 2
    assert "- environment: " in called.text
    assert "--replace-issuer" in called.text
    assert Provider.objects.get().metadata == load_metadata("production")


def test_replace_issuer_replaces_a_provider(production: Provider) -> None:
    change = ("--slug=psc", "--environment=sandbox", f"--client-secret={SECRET}")
    assert configure(*change).status == 2
    assert configure(*change, "--replace-issuer").status == 0
    provider = Provider.objects.get()
    assert (provider.environment, provider.metadata) == ("sandbox", load_metadata("sandbox"))


# No sign-in that can only be refused.


def test_a_provider_without_a_secret_is_not_enabled(production: Provider) -> None:
    for enabled in ((), ("--enabled=true",)):
        called = configure("--slug=new", "--environment=production", "--client-id=c", *enabled)
        assert called.status == 0
        assert "new: not enabled until it has a client secret" in called.text
        assert not Provider.objects.get(slug="new").enabled
    configure("--slug=new", f"--client-secret={SECRET}", "--enabled=true")
    assert Provider.objects.get(slug="new").enabled


# Help.


def test_the_help_is_in_one_language(capsys: pytest.CaptureFixture[str], settings: Any) -> None:
    settings.LANGUAGE_CODE = "fr"
    with language("fr"):
        configure("--help")
    shown = " ".join(capsys.readouterr().out.split())
    assert "requested ACR" in shown
    assert "extra parameters, in JSON" in shown
    assert "enabled: true or false" in shown
    assert not re.search("[éèà]", shown)
