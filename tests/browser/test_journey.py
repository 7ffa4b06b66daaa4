"""Login and logout in a real browser, with a Content-Security-Policy that does not allow the provider."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser import steps

Visit = Callable[..., Page]


def test_the_policy_of_the_demonstration_is_strict(visit: Visit) -> None:
    response = visit().goto("/")
    assert response is not None
    policy = response.headers["content-security-policy"].split("; ")
    assert policy[:2] == ["default-src 'self'", "form-action 'self'"]
    assert "unsafe" not in " ".join(policy)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_sign_in_and_out_of_both(visit: Visit, scripts: bool) -> None:
    page = visit(java_script_enabled=scripts)
    steps.sign_in(page)
    expect(page.locator("h1")).to_have_text("KIT DOC0042788")
    expect(page.locator("pre")).to_contain_text('"SubjectNameID": "899700427885"')
    steps.sign_out(page)
    expect(page.locator("h1")).to_have_text("Déconnexion effectuée")
    expect(page.locator("main")).to_contain_text("toutes deux fermées")
    page.goto("/")
    page.locator(".psc-button").click()
    # The session at the provider has ended too, so it asks again.
    page.wait_for_url(steps.SIMULATOR)
    expect(page.locator("button[name=person]").first).to_be_visible()


def test_login_ends_on_the_requested_page(visit: Visit) -> None:
    page = visit()
    page.goto("/me/?tab=account")
    steps.choose_person(page)
    page.wait_for_url("**/me/?tab=account")


def test_second_sign_in_asks_nothing(visit: Visit) -> None:
    page = visit()
    steps.sign_in(page)
    page.context.clear_cookies(name="sessionid")
    page.goto("/")
    page.locator(".psc-button").click()
    page.wait_for_url("**/me/")


def test_reload_after_the_login_stays_on_the_page(visit: Visit) -> None:
    page = visit()
    callbacks: list[str] = []

    def keep_callback(request: Request) -> None:
        if "/callback/" in request.url:
            callbacks.append(request.url)

    page.on("request", keep_callback)
    steps.sign_in(page)
    page.goto(callbacks[0])
    page.wait_for_url("**/me/")


def test_a_cancelled_login_can_be_started_again(visit: Visit) -> None:
    page = visit()
    steps.cancel(page)
    expect(page.locator("h1")).to_have_text("Vous avez annulé la connexion")
    expect(page.locator("main")).to_contain_text("authorization_access_denied")
    page.get_by_role("link", name="Recommencer").click()
    steps.choose_person(page)
    page.wait_for_url("**/me/")


def test_login_page_offers_sign_out_to_a_signed_in_person(visit: Visit) -> None:
    page = visit()
    steps.sign_in(page)
    response = page.goto("/psc/login/?next=/me/")
    assert response is not None
    assert response.status == 403
    page.get_by_role("button", name="Fermer aussi ma session Pro Santé Connect").click()
    page.wait_for_url(steps.LOGGED_OUT)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_another_person_signs_in_after_a_refusal(visit: Visit, scripts: bool) -> None:
    """Under the page's policies, the browser's ``Origin`` passes Django's CSRF protection."""
    page = visit(java_script_enabled=scripts)
    steps.be_refused(page)
    expect(page.locator("main")).to_contain_text("account_username_missing")
    page.get_by_role("button", name="Se connecter avec une autre identité").click()
    page.wait_for_url(steps.LOGGED_OUT)
    expect(page.locator("main")).to_contain_text("La session Pro Santé Connect est fermée.")
    page.locator(".psc-button").click()
    # The simulator asks who it is, as its session has ended.
    steps.choose_person(page)
    page.wait_for_url("**/me/")


def test_the_refused_person_closes_the_session_at_the_provider(visit: Visit) -> None:
    page = visit()
    steps.be_refused(page)
    page.get_by_role("button", name="Fermer aussi ma session Pro Santé Connect").click()
    page.wait_for_url(steps.LOGGED_OUT)
    expect(page.locator("main")).to_contain_text("Votre session Pro Santé Connect est fermée")


def test_a_double_click_on_the_sign_out_never_says_too_much(visit: Visit) -> None:
    page = visit()
    steps.sign_in(page)
    page.locator(".psc-logout-button").dblclick()
    page.wait_for_url(steps.LOGGED_OUT)
    is_confirmed = "toutes deux fermées" in page.locator("main").inner_text()
    assert is_confirmed != page.get_by_role("button", name="Fermer aussi ma session").is_visible()


def test_sign_out_continues_with_a_link_without_automatic_redirect(visit: Visit) -> None:
    page = visit()
    steps.sign_in(page)
    steps.stay_on_signing_out_page(page)
    expect(page.locator("h1")).to_have_text("Déconnexion de ce site effectuée")
    page.context.unroute_all()
    page.get_by_role("link", name="Continuer").click()
    page.wait_for_url(steps.LOGGED_OUT)


def test_pages_are_in_english_on_request(visit: Visit) -> None:
    page = visit()
    page.goto("/")
    page.get_by_role("button", name="EN").click()
    expect(page.locator(".psc-button-text")).to_have_text("Sign in with Pro Santé Connect")
    steps.cancel(page)
    expect(page.locator("h1")).to_have_text("You cancelled the sign-in")
