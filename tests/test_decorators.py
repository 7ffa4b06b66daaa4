"""``request.psc``, ``@psc_required`` and the template tags in a site's own pages."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.test import AsyncClient
from django.test import Client as Browser

from psc_connect.models import Account, Provider
from psc_connect.signals import signed_in
from tests.login.test_costs import statements
from tests.support.access_rules import refuse, set_rules
from tests.support.browser_session import BrowserSession

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("professional_pages")]

# Function, mixin, and method_decorator() on an asynchronous class, on its method and on a synchronous class.
PODIATRISTS = [
    "/podiatrists/",
    "/podiatrists/class/",
    "/podiatrists/decorated/",
    "/podiatrists/decorated-method/",
    "/podiatrists/synchronous/",
]
ACCEPTED = b"for podiatrists"


@pytest.fixture
def podiatrist(provider, simulator, person):
    person.sign_in()
    return person.browser


@pytest.fixture
def by_password(provider):
    User.objects.create_user("anna", password="p-5b1")
    browser = Browser()
    assert browser.login(username="anna", password="p-5b1")
    return browser


def test_request_psc_has_the_signed_in_professional(podiatrist):
    assert podiatrist.get("/who/").json() == {
        "is_professional": True,
        "rpps": "",
        "acr": "eidas1",
        "means": "MOBILE",
        "must_choose": False,
        "profession": "Pédicure-Podologue",
        "structure": "CABINET INDIVIDUEL PEDI PODO0023704",
        "identifiers": ["edit"],
    }


def test_user_signed_in_by_password_is_no_professional(by_password):
    professional = by_password.get("/who/").json()
    assert not professional["is_professional"]
    assert (professional["rpps"], professional["acr"], professional["profession"], professional["identifiers"]) == (
        "",
        "",
        None,
        [],
    )


def test_request_psc_costs_no_query_if_unread(podiatrist):
    with statements() as without:
        podiatrist.get("/page/one/")
    with statements() as with_it:
        assert podiatrist.get("/unread/").content == b"CurrentProfessional"
    assert len(with_it) == len(without) == 2


def test_request_psc_costs_one_query_if_read(podiatrist):
    with statements() as queries:
        podiatrist.get("/who/")
    assert len(queries) == 3, queries


def test_account_linked_to_another_user_is_no_longer_in_the_session(podiatrist):
    other = User.objects.create_user("other")
    Account.objects.update(user=other)
    assert not podiatrist.get("/who/").json()["is_professional"]


@pytest.mark.parametrize("page", ["/doctors/", "/doctors/anna/"])
def test_another_profession_sees_the_reason(podiatrist, page):
    response = podiatrist.get(page)
    assert response.status_code == 403
    assert "psc_connect/professional_required.html" in [each.name for each in response.templates]
    assert "<dd>professional_refused</dd>" in response.content.decode()
    assert "Pédicure-Podologue" in response.content.decode()


@pytest.mark.parametrize("page", PODIATRISTS)
def test_views_are_restricted_under_a_synchronous_server(podiatrist, by_password, page):
    accepted = podiatrist.get(page)
    assert (accepted.content, accepted["Cache-Control"]) == (ACCEPTED, "private")
    assert by_password.get(page).status_code == 403


@pytest.mark.parametrize("page", ["/private/", "/professionals/"])
def test_required_profession_is_accepted(podiatrist, page):
    assert podiatrist.get(page).status_code == 200


async def _ask(browser, page, **headers):
    client = AsyncClient()
    client.cookies = browser.cookies
    return await client.get(page, headers=headers)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", PODIATRISTS)
def test_views_are_restricted_under_an_async_server(podiatrist, by_password, page):
    accepted = async_to_sync(_ask)(podiatrist, page)
    assert (accepted.content, accepted["Cache-Control"]) == (ACCEPTED, "private")
    assert async_to_sync(_ask)(by_password, page).status_code == 403


def test_login_by_password_is_refused(by_password):
    response = by_password.get("/professionals/")
    assert response.status_code == 403
    assert "<dd>professional_missing</dd>" in response.content.decode()
    assert "psc-logout-button" in response.content.decode()


@pytest.mark.parametrize(
    ("page", "status"),
    [
        ("/inherited/", 403),
        ("/inherited/overridden/", 200),
        ("/inherited/as-view/", 200),
        ("/inherited/in-setup/", 200),
        ("/inherited/in-setup/?profession=10", 403),
    ],
)
def test_class_uses_its_inherited_or_latest_requirements(podiatrist, page, status):
    assert podiatrist.get(page).status_code == status


@pytest.mark.parametrize(
    ("who", "page", "status", "code"),
    [
        ("podiatrist", "/doctors/", 403, "professional_refused"),
        ("by_password", "/professionals/", 403, "professional_missing"),
    ],
)
def test_json_gets_a_code(request, who, page, status, code):
    response = request.getfixturevalue(who).get(page, headers={"accept": "application/json"})
    assert (response.status_code, response.json()["error"]) == (status, code)
    assert response.json()["detail"]


@pytest.mark.parametrize(
    ("who", "page", "code"),
    [
        ("podiatrist", "/doctors/", "professional_refused"),
        ("by_password", "/professionals/", "professional_missing"),
    ],
)
def test_refusal_is_logged_with_the_reference_of_its_response(request, caplog, who, page, code):
    browser = request.getfixturevalue(who)
    account = Account.objects.values_list("pk", flat=True).first() or "none"
    with caplog.at_level("INFO", logger="psc_connect"):
        shown = browser.get(page).context["reference"]
        sent = browser.get(page, headers={"accept": "application/json"}).json()["reference"]
    lines = [line for line in caplog.messages if line.startswith("professional.")]
    assert lines == [f"professional.refused code={code} account={account} reference={each}" for each in (shown, sent)]
    assert shown != sent


def test_page_has_the_reference_and_the_contact(provider, podiatrist):
    Provider.objects.update(contact="Write to help@example.org")
    response = podiatrist.get("/doctors/")
    page = response.content.decode()
    assert f"<dd>{response.context['reference']}</dd>" in page
    assert 'href="mailto:help@example.org"' in page


def test_refused_person_can_sign_out(podiatrist):
    page = podiatrist.get("/doctors/").content.decode()
    assert 'action="/psc/psc/logout/"' in page
    assert "activit" not in page.split("<h1")[1].split("</p>")[0]


def test_json_for_an_anonymous_user_is_401(client, settings):
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "LoginRequired" not in each]
    response = client.get("/doctors/", headers={"accept": "application/json"})
    assert (response.status_code, response.json()["error"]) == (401, "professional_not_signed_in")


def test_anonymous_user_is_redirected_to_the_login_and_back(client, settings):
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "LoginRequired" not in each]
    assert client.get("/doctors/?a=1")["Location"] == "/psc/login/?next=/doctors/%3Fa%3D1"


def test_client_that_accepts_anything_gets_the_page(podiatrist):
    response = podiatrist.get("/doctors/", headers={"accept": "*/*"})
    assert response["Content-Type"].startswith("text/html")


def test_template_tag_checks_the_same_requirements(podiatrist):
    assert podiatrist.get("/template/").content.decode().startswith("does not|")


def test_template_shows_the_activity(podiatrist):
    assert "Pédicure-Podologue – CABINET" in podiatrist.get("/template/").content.decode()


def test_template_shows_no_activity_after_a_login_by_password(by_password):
    assert by_password.get("/template/").content.decode().strip() == "does not|"


def test_template_prints_practice_activity_and_identifiers(podiatrist):
    page = podiatrist.get("/printed/").content.decode()
    practice, activity, activity_choice, identifiers = page.split("|")
    assert practice == "Pédicure-Podologue"
    assert activity.startswith("CABINET INDIVIDUEL PEDI PODO0023704, ")
    assert activity_choice == f"{practice} – {activity}"
    assert identifiers.startswith("EDIT ANS")


@pytest.mark.django_db(transaction=True)
def test_async_view_without_aload_gets_an_error_that_names_it(podiatrist):
    assert (
        async_to_sync(_ask)(podiatrist, "/hasty/").content
        == b"In an asynchronous view, await request.psc.aload() first."
    )


def test_page_has_no_link_if_no_other_activity_meets_the_requirements(provider, simulator, person):
    simulator.sign_in("doctor-two-activities")
    person.sign_in()
    [first, _second] = person.browser.get("/psc/psc/activity/").context["cards"]
    person.browser.post("/psc/psc/activity/", {"activity_choice": first[0].key})
    response = person.browser.get("/podiatrists/")
    assert response.status_code == 403
    assert "/activity/" not in response.content.decode()


def look_at_the_professional(get_response):
    """A site's middleware that reads the professional before the view."""

    def middleware(request):
        request.psc.rpps  # noqa: B018
        return get_response(request)

    return middleware


def test_request_psc_is_replaced_in_the_request_of_a_login(provider, simulator, person, settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.test_decorators.look_at_the_professional"]
    tab = person.begin()
    person.sign_in()
    simulator.end_sessions()
    simulator.sign_in("doctor-two-activities")
    results = []

    def receiver(request, user, **_said):
        account = request.psc.account
        results.append((account is not None and account.user == user, request.psc.acr, request.psc.means))

    for signal in (user_logged_in, signed_in):
        signal.connect(receiver)
    try:
        person.come_back(person.authorize(tab))
    finally:
        for signal in (user_logged_in, signed_in):
            signal.disconnect(receiver)
    assert results == [(False, "", ""), (True, "eidas3", "CARD")]


def test_means_are_those_of_the_session(provider, simulator, person, podiatrist):
    """The card used in another session does not count here."""
    elsewhere = BrowserSession()
    simulator.end_sessions()
    simulator.sign_in(replace(simulator.people["podiatrist"], auth_mode="CARD", acr="eidas3"))
    elsewhere.sign_in()
    results = [each.get("/who/").json() for each in (elsewhere.browser, podiatrist)]
    elsewhere.close()
    assert [(each["acr"], each["means"]) for each in results] == [("eidas3", "CARD"), ("eidas1", "MOBILE")]


@pytest.fixture
def employed_doctor(provider, simulator, person):
    """A doctor with a private practice too, whose chosen activity is the employment."""
    simulator.sign_in("doctor-two-activities")
    person.sign_in()
    [_in_private_practice, employed] = person.browser.get("/psc/psc/activity/").context["cards"]
    person.browser.post("/psc/psc/activity/", {"activity_choice": employed[0].key})
    return person.browser


def test_page_says_that_another_activity_meets_the_requirements(english, employed_doctor):
    response = employed_doctor.get("/private/")
    page = response.content.decode()
    assert response.status_code == 403
    assert "This page is for another of your activities, not the one you have chosen." in page
    assert '<a class="psc-action" href="/psc/psc/activity/?next=/private/"' in page.replace("%2F", "/")
    sent = employed_doctor.get("/private/", headers={"accept": "application/json"}).json()
    assert sent["detail"] in page


def test_refused_activity_is_not_suggested(english, provider, employed_doctor):
    set_rules(provider, refuse("mode in L"), others_may_sign_in=True)
    page = employed_doctor.get("/private/").content.decode()
    assert "This page is for other professionals." in page
    assert "/activity/" not in page
