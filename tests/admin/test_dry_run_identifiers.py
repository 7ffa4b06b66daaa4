"""A dry run previews the account that identifiers lead to, as a login finds it, and saves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from psc_connect.models import Account, AccountChange, AccountIdentifier, Provider
from psc_connect.simulator import Simulator
from tests.admin.mapping_page import page_of, row_previews
from tests.admin.pages import text_of
from tests.support.browser_session import BrowserSession
from tests.support.dry_runs import dry_run
from tests.support.people import (
    OTHER_RPPS,
    PSI,
    RPPS,
    assert_refused_with,
    export_plain_usernames,
    make_person,
    other_id,
    sign_in,
)

pytestmark = pytest.mark.django_db
DOCTOR = make_person("2", other_id("RPPS", RPPS))


@pytest.fixture
def provider(provider: Provider) -> Provider:
    export_plain_usernames(provider)
    provider.exported_attributes.filter(user_field="last_name").delete()
    return provider


def dry_run_of_doctor(admin_session: BrowserSession, provider: Provider, simulator: Simulator) -> Any:
    simulator.sign_in(DOCTOR)
    before = list(AccountIdentifier.objects.order_by("pk").values())
    page = dry_run(admin_session, provider)
    assert list(AccountIdentifier.objects.order_by("pk").values()) == before
    return page


def known(**more: Any) -> Any:
    return get_user_model().objects.create(username=f"known-{len(more)}", last_name=RPPS, **more)


def test_a_person_whose_account_has_another_sub(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator, english: None
) -> None:
    account = sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))
    page = dry_run_of_doctor(admin_session, provider, simulator)
    assert (page.context["preview"].outcome, page.context["preview"].user) == ("found_again", account.user)
    assert "is found by an identifier" in text_of(page)
    assert Account.objects.get().subject == "1"
    assert not AccountChange.objects.exists()


def test_the_mapping_page_previews_the_user_of_the_account_that_was_found(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator, english: None
) -> None:
    sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))
    dry_run_of_doctor(admin_session, provider, simulator)
    assert "The field is left unchanged: it is filled at creation." in results_on_the_mapping(admin_session, provider)


def test_the_mapping_page_previews_a_new_user_where_several_accounts_fit(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator, english: None
) -> None:
    two_accounts(provider, simulator)
    dry_run_of_doctor(admin_session, provider, simulator)
    results = results_on_the_mapping(admin_session, provider)
    assert any(result.startswith("The field becomes") for result in results)
    assert "The field is left unchanged: it is filled at creation." not in results


def results_on_the_mapping(admin_session: BrowserSession, provider: Provider) -> list[str]:
    """Return the results of the rows for the last dry run, which the page shows first."""
    return [each.result for each in row_previews(admin_session.browser.get(page_of(provider)))]


def test_a_person_who_is_linked_to_the_user_with_their_number(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator, english: None
) -> None:
    Provider.objects.update(link_user_field="last_name")
    user = known()
    page = dry_run_of_doctor(admin_session, provider, simulator)
    assert (page.context["preview"].outcome, page.context["preview"].user) == ("matched", user)
    assert "who has their RPPS number" in text_of(page)
    assert not Account.objects.exists()


def two_accounts(provider: Provider, simulator: Simulator) -> None:
    sign_in(simulator, make_person("2", other_id("PSI", PSI)))
    sign_in(simulator, make_person("1", other_id("RPPS", RPPS)))


def privileged(provider: Provider, simulator: Simulator) -> None:
    known(is_staff=True)


def linked_already(provider: Provider, simulator: Simulator) -> None:
    Account.objects.create(provider=provider, issuer=provider.issuer, subject="another", user=known())


def several(provider: Provider, simulator: Simulator) -> None:
    known()
    known(is_active=False)


def no_field(provider: Provider, simulator: Simulator) -> None:
    Provider.objects.update(link_user_field="nothing")


def two_numbers(provider: Provider, simulator: Simulator) -> None:
    simulator.faults.set("userinfo_claims", claims={"otherIds": [other_id("RPPS", RPPS), other_id("RPPS", OTHER_RPPS)]})


def another_person(provider: Provider, simulator: Simulator) -> None:
    simulator.faults.set("userinfo_claims", claims={"preferred_username": OTHER_RPPS})


@pytest.mark.case("AL09", "AL13")
@pytest.mark.parametrize(
    ("arrange", "code", "said"),
    [
        (two_accounts, "account_identifiers_conflict", "lead to several accounts"),
        (privileged, "account_link_privileged", "administers the site"),
        (linked_already, "account_already_linked", "already has another account"),
        (several, "account_ambiguous", "Several users fit"),
        (no_field, "account_link_field_unknown", "no longer has the field"),
        (two_numbers, "userinfo_identifiers_contradict", "two different RPPS numbers"),
        (another_person, "userinfo_identifier_mismatch", "different national identifiers"),
    ],
)
def test_a_refusal_is_shown_with_its_reason(
    admin_session: BrowserSession,
    provider: Provider,
    simulator: Simulator,
    english: None,
    arrange: Callable[[Provider, Simulator], None],
    code: str,
    said: str,
) -> None:
    Provider.objects.update(link_user_field="last_name")
    arrange(provider, simulator)
    doctor = make_person("2", other_id("RPPS", RPPS), preferred_username=RPPS) if arrange is another_person else DOCTOR
    simulator.sign_in(doctor)
    page = dry_run(admin_session, provider)
    assert (page.context["preview"].outcome, page.context["preview"].code) == ("refused", code)
    assert said in text_of(page)
    # A login is refused with the same code.
    assert_refused_with(simulator, doctor, code)


def test_unexpected_values_in_the_userinfo_are_named_without_the_values(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator
) -> None:
    odd = {"otherIds": [{"identifiant": "no-number-77", "origine": "X"}], "Secteur_Activite": ["SA07"]}
    practice = {"codeProfession": "ZZ", "codeCategorieProfessionnelle": "C", "activities": []}
    simulator.faults.set("userinfo_claims", claims={**odd, "SubjectRefPro": {"exercices": [practice]}})
    remarks = dry_run(admin_session, provider).context["remarks"]
    assert {where for where, _text in remarks} == {
        "otherIds[0].identifiant",
        "Secteur_Activite",
        "TRE_G15-ProfessionSante",
    }
    assert "no-number-77" not in str(remarks)
