"""The published metadata is followed once a day, by one worker, and never fails a login (OU01, OU02)."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from psc_connect.models import DeclarationChange, Provider, ProviderFetchTimes
from psc_connect.providers.metadata import MetadataRefused, save_metadata, with_members
from tests.conftest import client_of, make_provider
from tests.support.browser_session import PAGE, BrowserSession, query_of
from tests.support.database import failing_statements
from tests.support.parallel_logins import in_parallel, reached_page

DAY = timedelta(hours=24, minutes=1)


def let_a_day_pass(by: timedelta = DAY) -> None:
    ProviderFetchTimes.objects.update(metadata_checked_at=timezone.now() - by)


def stored() -> Provider:
    return Provider.objects.get()


@pytest.mark.django_db
@pytest.mark.case("OU01")
def test_a_changed_endpoint_is_followed_at_the_first_login_of_the_day(provider: Any, simulator: Any) -> None:
    moved = simulator.origin + "/auth/"
    with simulator.fault("metadata_members", members={"authorization_endpoint": moved}):
        assert not BrowserSession().begin(PAGE).startswith(moved + "?")
        let_a_day_pass()
        url = BrowserSession().begin(PAGE)
    assert url.startswith(moved + "?")
    assert stored().metadata["authorization_endpoint"] == moved
    change = DeclarationChange.objects.get()
    assert change.changes == [["metadata.authorization_endpoint", provider.metadata["authorization_endpoint"], moved]]
    assert (change.source, change.made_by) == ("login", None)


@pytest.mark.django_db
def test_it_costs_one_request_a_day(provider: Any, simulator: Any, person: BrowserSession) -> None:
    let_a_day_pass()
    for _login in range(3):
        person.begin(PAGE)
    assert simulator.count("metadata") == 1


@pytest.mark.django_db(transaction=True)
def test_one_worker_looks_while_the_others_go_on(simulator: Any) -> None:
    make_provider(simulator)
    let_a_day_pass()
    assert all(reached_page(response) for response in in_parallel(6))
    assert simulator.count("metadata") == 1


@pytest.mark.django_db
@pytest.mark.case("OU01")
def test_a_changed_issuer_is_an_alarm_and_nothing_else(provider: Any, simulator: Any, caplog: Any) -> None:
    let_a_day_pass()
    with simulator.fault("metadata_members", members={"issuer": "https://evil.example"}):
        assert reached_page(BrowserSession().sign_in(PAGE))
    assert stored().metadata == provider.metadata
    alarms = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.getMessage() for record in alarms] == ["metadata.issuer_changed provider=psc"]
    assert not DeclarationChange.objects.exists()


@pytest.mark.django_db
@pytest.mark.case("OU01", "TR10", "SS01")
@pytest.mark.parametrize(
    "members",
    [
        {"token_endpoint": "https://evil.example/token"},
        {"jwks_uri": "http://169.254.169.254/keys"},
        {"userinfo_endpoint": "file:///etc/passwd"},
        {"authorization_endpoint": ""},
    ],
    ids=str,
)
def test_what_would_send_the_secret_elsewhere_or_is_no_metadata_is_not_followed(
    provider: Any, simulator: Any, caplog: Any, members: dict[str, str]
) -> None:
    let_a_day_pass()
    with simulator.fault("metadata_members", members=members):
        assert reached_page(BrowserSession().sign_in(PAGE))
    assert stored().metadata == provider.metadata
    assert "metadata.not_followed provider=psc code=metadata_" in caplog.text


@pytest.mark.django_db
@pytest.mark.case("OU02", "DO01")
@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("outage", {"endpoint": "metadata"}),
        ("maintenance_page", {"endpoint": "metadata"}),
        ("answer", {"endpoint": "metadata", "body": b"{}{"}),
        ("redirected", {"endpoint": "metadata", "location": "https://evil.example/"}),
    ],
)
def test_a_document_that_cannot_be_had_fails_no_login_and_is_asked_for_again_soon(
    provider: Any, simulator: Any, fault: str, options: dict[str, Any]
) -> None:
    let_a_day_pass()
    with simulator.fault(fault, **options):
        assert reached_page(BrowserSession().sign_in(PAGE))
    asked = simulator.count("metadata")
    assert asked
    assert stored().metadata == provider.metadata
    BrowserSession().begin(PAGE)
    assert simulator.count("metadata") == asked
    let_a_day_pass(DAY - timedelta(minutes=2))
    checked_at = stored().fetch_times.metadata_checked_at
    ProviderFetchTimes.objects.update(metadata_checked_at=checked_at - timedelta(minutes=11))
    BrowserSession().begin(PAGE)
    assert simulator.count("metadata") == asked + 1


@pytest.mark.django_db
def test_a_provider_that_hangs_holds_a_login_for_three_seconds_at_most(provider: Any, simulator: Any) -> None:
    import time

    let_a_day_pass()
    began = time.monotonic()
    with simulator.fault("hang", endpoint="metadata", seconds=8):
        BrowserSession().begin(PAGE)
    assert 2 < time.monotonic() - began < 7


@pytest.mark.django_db
def test_a_document_of_the_standards_own_address_is_found(provider: Any, simulator: Any) -> None:
    let_a_day_pass()
    with simulator.fault("answer", endpoint="metadata", status=404, times=1):
        BrowserSession().begin(PAGE)
    paths = [request.path for request in simulator.requests if request.endpoint == "metadata"]
    assert [path.rpartition("/")[2] for path in paths] == ["wallet-openid-configuration", "openid-configuration"]


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"metadata_followed": False}, {"metadata": {}}])
def test_provider_that_is_not_followed_costs_no_request(provider: Any, simulator: Any, change: dict[str, Any]) -> None:
    let_a_day_pass()
    Provider.objects.update(**change)
    BrowserSession().browser.get("/psc/psc/login/")
    assert simulator.count("metadata") == 0


@pytest.mark.django_db
def test_a_clock_that_was_far_ahead_does_not_put_it_off(provider: Any, simulator: Any) -> None:
    let_a_day_pass(timedelta(days=-400))
    BrowserSession().begin(PAGE)
    assert simulator.count("metadata") == 1


@pytest.mark.django_db(transaction=True)
def test_what_an_administrator_saves_meanwhile_stays(simulator: Any) -> None:
    make_provider(simulator)
    let_a_day_pass()
    mine = {**stored().metadata, "x-mine": True}

    def save() -> None:
        while simulator.count("metadata") == 0:
            pass
        Provider.objects.update(metadata=mine)
        from django.db import connection

        connection.close()

    thread = threading.Thread(target=save)
    thread.start()
    members = {"x-theirs": True}
    with (
        simulator.fault("metadata_members", members=members),
        simulator.fault("hang", endpoint="metadata", seconds=0.5),
    ):
        person = BrowserSession()
        assert query_of(person.begin(PAGE))["client_id"]
        thread.join()
    assert stored().metadata == mine


@pytest.mark.django_db
def test_taking_over_says_whether_anything_has_changed(provider: Any) -> None:
    assert not save_metadata(provider, provider.metadata, source="admin")
    assert save_metadata(provider, {**provider.metadata, "x-new": 1}, source="admin")
    with pytest.raises(MetadataRefused):
        save_metadata(provider, {**provider.metadata, "issuer": provider.issuer + "-x"}, source="admin")


def test_members_are_accepted_one_by_one() -> None:
    kept, published = {"a": 1, "b": 2, "gone": 3}, {"a": 10, "b": 20, "new": 30}
    assert with_members(kept, published, ["a"]) == {"a": 10, "b": 2, "gone": 3}
    assert with_members(kept, published, ["gone", "new"]) == {"a": 1, "b": 2, "new": 30}
    assert with_members([], published, ["a"]) == {"a": 10}


@pytest.mark.django_db(transaction=True)
def test_a_database_that_fails_meanwhile_fails_no_login(provider: Any, simulator: Any, person: BrowserSession) -> None:
    let_a_day_pass()
    with simulator.fault("metadata_members", members={"x-new": 1}), failing_statements("psc_connect_declarationchange"):
        assert person.begin(PAGE).startswith(provider.metadata["authorization_endpoint"])
    assert "x-new" not in stored().metadata


# Two declarations of one issuer.


@pytest.mark.django_db
@pytest.mark.case("NW01")
def test_what_is_followed_goes_to_every_declaration_of_the_issuer(provider: Any, simulator: Any) -> None:
    second = make_provider(simulator, slug="second")
    disabled = make_provider(simulator, slug="disabled", enabled=False)
    by_hand = make_provider(simulator, slug="by-hand", metadata_followed=False)
    another = make_provider(simulator, slug="another", metadata={**simulator.metadata, "issuer": "https://x.example"})
    let_a_day_pass()
    moved = {"token_endpoint": provider.metadata["token_endpoint"] + "-moved", "jwks_uri": simulator.origin + "/certs"}
    with simulator.fault("metadata_members", members=moved):
        BrowserSession().begin(PAGE)
    for each in (provider, second, disabled):
        assert Provider.objects.get(pk=each.pk).metadata == {**provider.metadata, **moved}
        assert {change.source for change in DeclarationChange.objects.filter(provider=each)} == {"login"}
    for each in (by_hand, another):
        assert Provider.objects.get(pk=each.pk).metadata == each.metadata
    assert simulator.count("metadata") == 1


@pytest.mark.django_db
@pytest.mark.case("NW01")
def test_declarations_that_differ_both_sign_in(provider: Any, simulator: Any) -> None:
    """They are compared when a person saves, not here."""
    metadata = {**simulator.metadata, "end_session_endpoint": simulator.origin + "/other", "x-mine": 1}
    del metadata["jwks_uri"]
    make_provider(simulator, slug="second", metadata=metadata)
    simulator.register(client_of())
    assert reached_page(BrowserSession().sign_in(PAGE))
    simulator.register(client_of("second"))
    assert reached_page(BrowserSession(slug="second").sign_in(PAGE))


@pytest.mark.django_db
@pytest.mark.case("NW01")
def test_declaration_whose_secret_would_go_elsewhere_is_left_out_alone(
    provider: Any, simulator: Any, caplog: Any
) -> None:
    second = make_provider(simulator, slug="second")
    elsewhere = {**simulator.metadata, "token_endpoint": "https://elsewhere.example/token"}
    Provider.objects.filter(pk=second.pk).update(metadata=elsewhere)
    let_a_day_pass()
    with simulator.fault("metadata_members", members={"x-new": 1}):
        assert reached_page(BrowserSession().sign_in(PAGE))
    assert Provider.objects.get(pk=provider.pk).metadata["x-new"] == 1
    assert Provider.objects.get(pk=second.pk).metadata == elsewhere
    assert "metadata.not_followed provider=second code=metadata_other_recipient" in caplog.text
