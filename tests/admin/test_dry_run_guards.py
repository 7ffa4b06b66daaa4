"""Who may finish a dry run, and who sees what the provider says about the person."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from psc_connect.models import Provider
from psc_connect.simulator import Simulator
from tests.admin.pages import Administrator, administrator, messages_of, text_of
from tests.support.browser_session import BrowserSession, error_code_of
from tests.support.dry_runs import all_passed, begin, dry_run, steps_of

pytestmark = pytest.mark.django_db
NATIONAL_IDENTIFIER = "ANS20231122132732"


# What is shown about the person.


def test_identifiers_are_masked_until_they_are_revealed(admin_session: BrowserSession, provider: Provider) -> None:
    page = dry_run(admin_session, provider)
    address = page.request["PATH_INFO"]
    assert NATIONAL_IDENTIFIER not in page.content.decode()
    assert "AN•••••••••••••32" in page.content.decode()
    revealed = admin_session.browser.get(address, {"reveal": "1"}).content.decode()
    assert NATIONAL_IDENTIFIER in revealed
    assert "AN•••••••••••••32" not in revealed


def test_an_administrator_who_may_not_see_claims_sees_the_steps_and_no_value(
    provider: Provider, simulator: Simulator
) -> None:
    person = BrowserSession(browser=administrator("view_provider", "change_provider").browser)
    page = dry_run(person, provider)
    assert all_passed(steps_of(page))
    # The level is no claim of a person.
    assert {step.received for step in page.context["steps"]} == {"", "eidas1"}
    given_name = page.context["result"].claims["given_name"]
    for answer in (page, person.browser.get(page.request["PATH_INFO"], {"reveal": "1"})):
        text = answer.content.decode()
        assert NATIONAL_IDENTIFIER not in text
        assert given_name not in text
        assert "SubjectRefPro" not in text


@pytest.mark.case("LG02")
def test_an_administrator_who_may_not_see_claims_cannot_ask_for_them_by_rows_of_the_mapping(
    provider: Provider, simulator: Simulator
) -> None:
    """Each row asks a question, and each answer would reveal one character of an identifier."""
    editor = administrator("view_provider", "change_provider", "change_user")
    page = dry_run(BrowserSession(browser=editor.browser), provider)
    group = Group.objects.create(name="everybody whose identifier begins so")

    def answers(beginning: str) -> str:
        question = f"starts_with(SubjectNameID, '{beginning}')"
        provider.exported_attributes.filter(user_field="first_name").update(claim=f"{question} && 'y' || null")
        provider.exported_groups.update_or_create(group=group, defaults={"claim": question})
        text = text_of(editor.browser.get(page.request["PATH_INFO"]))
        assert "OpenID Connect Core 3.1.3.7 (11)" in text
        return text

    assert answers(NATIONAL_IDENTIFIER[:5]) == answers("somebody else")


def test_a_claim_is_only_text_on_the_page(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator
) -> None:
    with simulator.fault("userinfo_claims", claims={"given_name": "<script>alert(1)</script>"}):
        page = dry_run(admin_session, provider).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_what_is_kept_in_the_session_is_encrypted_and_holds_no_token(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator
) -> None:
    dry_run(admin_session, provider)
    kept = admin_session.browser.session["psc_connect_dry_run"]
    assert NATIONAL_IDENTIFIER not in str(dict(admin_session.browser.session))
    from psc_connect.encryption import DRY_RUN, cipher_for

    clear = cipher_for(DRY_RUN).decrypt(kept.encode()).decode()
    assert NATIONAL_IDENTIFIER in clear
    assert "eyJ" not in clear


def test_a_dry_run_of_another_provider_or_another_key_is_not_shown(
    admin_session: BrowserSession, provider: Provider, settings: Any
) -> None:
    page = dry_run(admin_session, provider)
    other = Provider.objects.create(slug="other", client_id="c")
    address = page.request["PATH_INFO"].replace(str(provider.pk), str(other.pk))
    assert admin_session.browser.get(address).context["result"] is None
    settings.PSC_CONNECT_ENCRYPTION_KEYS = ["k" * 32]
    assert admin_session.browser.get(page.request["PATH_INFO"]).context["result"] is None


# Who may finish it.


@pytest.mark.case("AZ03")
def test_a_dry_run_that_returns_to_another_administrator_is_refused(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator
) -> None:
    url = admin_session.authorize(begin(admin_session, provider))
    administrator("change_provider")
    admin_session.browser.force_login(
        get_user_model().objects.get(username="administrator-change_provider"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    simulator.clear_requests()
    assert error_code_of(admin_session.come_back(url)) == "dry_run_of_somebody_else"
    assert simulator.count("token") == 0


@pytest.mark.case("AD01")
def test_a_dry_run_that_returns_after_its_administrator_lost_the_permission_is_refused(
    provider: Provider, simulator: Simulator
) -> None:
    person = BrowserSession(browser=administrator("view_provider", "change_provider", "view_claims").browser)
    answer = person.authorize(begin(person, provider))
    get_user_model().objects.get().user_permissions.clear()
    simulator.clear_requests()
    assert error_code_of(person.come_back(answer)) == "dry_run_of_somebody_else"
    assert "psc_connect_dry_run" not in person.browser.session
    assert not simulator.requests


@pytest.mark.case("AZ18")
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Dest": "image"}, {"Sec-Purpose": "prefetch"}], ids=str)
def test_an_image_or_a_prefetch_starts_no_dry_run(
    admin: Administrator, provider: Provider, headers: dict[str, str]
) -> None:
    response = admin.browser.get(f"/admin/psc_connect/provider/{provider.pk}/begin-dry-run/", headers=headers)
    assert response.status_code == 403
    assert not [name for name in response.cookies if name.startswith("psc_auth_")]


def test_a_dry_run_that_returns_after_the_session_has_ended_is_refused(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator, settings: Any
) -> None:
    url = admin_session.authorize(begin(admin_session, provider))
    # The session has ended, the cookie of the dry run is still there.
    del admin_session.browser.cookies[settings.SESSION_COOKIE_NAME]
    simulator.clear_requests()
    assert error_code_of(admin_session.come_back(url)) == "dry_run_of_somebody_else"
    assert simulator.count("token") == 0


def test_a_dry_run_does_not_start_on_a_host_to_which_the_provider_does_not_return(
    admin: Administrator, provider: Provider, settings: Any
) -> None:
    settings.LANGUAGE_CODE = "en"
    settings.PSC_CONNECT_BASE_URL = "https://www.example.org"
    response = admin.open(provider, "begin-dry-run")
    ((level, text),) = messages_of(response)
    assert (level, "https://www.example.org" in text) == ("error", True)


def test_a_dry_run_of_an_older_release_is_not_shown(admin_session: BrowserSession, provider: Provider) -> None:
    from psc_connect.encryption import DRY_RUN, cipher_for

    page = dry_run(admin_session, provider)
    session = admin_session.browser.session
    clear = json.loads(cipher_for(DRY_RUN).decrypt(session["psc_connect_dry_run"].encode()))
    clear["steps"][5]["name"] = "renamed since"
    session["psc_connect_dry_run"] = cipher_for(DRY_RUN).encrypt(json.dumps(clear).encode()).decode()
    session.save()
    assert admin_session.browser.get(page.request["PATH_INFO"]).context["result"] is None


@pytest.mark.case("AZ04", "CC02")
@pytest.mark.django_db(transaction=True)
def test_an_answer_that_comes_twice_asks_the_provider_once(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator
) -> None:
    url = begin(admin_session, provider)
    cookies: Any = admin_session.browser.cookies.copy()
    answer = admin_session.authorize(url)
    admin_session.come_back(answer)
    simulator.clear_requests()
    admin_session.browser.cookies = cookies
    assert error_code_of(admin_session.come_back(answer)) == "authorization_state_used"
    assert simulator.count("token") == 0


@pytest.mark.case("AZ10")
def test_a_dry_run_that_answers_another_providers_callback_is_refused(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator
) -> None:
    Provider.objects.create(slug="other", client_id="c", metadata=provider.metadata)
    answer = admin_session.authorize(begin(admin_session, provider))
    simulator.clear_requests()
    response = admin_session.come_back(answer.replace("/psc/psc/", "/psc/other/"))
    assert error_code_of(response) == "authorization_provider_mismatch"
    assert simulator.count("token") == 0


def test_a_dry_run_of_a_deleted_provider_is_refused(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator
) -> None:
    response = admin_session.authorize(begin(admin_session, provider))
    provider.delete()
    simulator.clear_requests()
    assert error_code_of(admin_session.come_back(response)) == "authorization_provider_mismatch"
    assert simulator.count("token") == 0


@pytest.mark.case("SE05")
def test_a_site_with_sessions_in_cookies_starts_no_dry_run(
    admin: Administrator, provider: Provider, settings: Any, simulator: Simulator
) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    person = BrowserSession()
    user = get_user_model().objects.get()
    person.browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    response = person.browser.get(f"/admin/psc_connect/provider/{provider.pk}/begin-dry-run/")
    assert response["Location"] == f"/admin/psc_connect/provider/{provider.pk}/dry-run/"
    assert [level for level, _text in messages_of(response)] == ["error"]


@pytest.mark.parametrize("problem", ["metadata", "address"])
def test_a_dry_run_that_cannot_start_says_why(
    admin: Administrator, provider: Provider, settings: Any, problem: str
) -> None:
    if problem == "metadata":
        Provider.objects.update(metadata={"issuer": "x"})
    else:
        settings.ALLOWED_HOSTS = ["*"]
    response = admin.open(provider, "begin-dry-run")
    assert response.status_code == 302
    assert [level for level, _text in messages_of(response)] == ["error"]


def test_the_callback_of_a_dry_run_deletes_the_cookie_and_sends_no_referrer(
    admin_session: BrowserSession, provider: Provider
) -> None:
    response = admin_session.come_back(admin_session.authorize(begin(admin_session, provider)))
    assert response["Referrer-Policy"] == "strict-origin"
    assert "no-store" in response["Cache-Control"]
    assert not [name for name, morsel in admin_session.browser.cookies.items() if "psc_auth_" in name and morsel.value]
