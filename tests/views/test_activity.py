"""The choice of an activity: asked if there are several, stored, marked the next time, changed."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from psc_connect.accounts.merging import link, plan_link
from psc_connect.models import AccessRule, Account
from psc_connect.simulator.people import Person
from tests.conftest import make_provider
from tests.support.browser_session import PAGE, BrowserSession

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english", "professional_pages")]
ASKED = f"/psc/psc/activity/?next={PAGE.replace('/', '%2F')}"


def sign_in(person, simulator, who):
    simulator.sign_in(who)
    simulator.end_sessions()
    return person.sign_in(PAGE)


def cards(response):
    assert response.status_code in {200, 409}
    return [(each.practice.profession.code, each.key) for each, _decision in response.context["cards"]]


@pytest.fixture
def doctor(provider, simulator, person):
    """A signed-in doctor with two activities, before the choice."""
    assert sign_in(person, simulator, "doctor-two-activities")["Location"] == ASKED
    return person.browser


def choose(browser, key, page=PAGE):
    return browser.post("/psc/psc/activity/", {"activity_choice": key, "next": page})


def test_the_page_shows_a_card_for_each_activity(doctor):
    response = doctor.get(ASKED)
    page = response.content.decode()
    assert [code for code, _key in cards(response)] == ["10", "10"]
    assert page.count('name="activity_choice"') == 2
    assert "Médecin" in page
    assert "CABINET M DOC0042788" in page
    assert f'value="{PAGE}"' in page
    assert "aria-current" not in page


def test_chosen_activity_is_stored_and_redirects_to_the_page(doctor):
    [_first, (_code, key)] = cards(doctor.get(ASKED))
    assert choose(doctor, key)["Location"] == PAGE
    assert Account.objects.get().activity_choice == key
    professional = doctor.get("/who/").json()
    assert not professional["must_choose"]
    assert professional["structure"]


def test_activity_is_changed_without_signing_in_again(doctor, simulator):
    [(_code, first), (_code, second)] = cards(doctor.get(ASKED))
    choose(doctor, first)
    before = doctor.get("/who/").json()["structure"]
    simulator.clear_requests()
    assert f'value="{first}" aria-current="true"' in doctor.get("/psc/psc/activity/").content.decode()
    choose(doctor, second)
    assert doctor.get("/who/").json()["structure"] != before
    assert simulator.requests == []


def test_next_login_uses_the_activity_chosen_last(doctor, simulator):
    [(_code, first), _second] = cards(doctor.get(ASKED))
    choose(doctor, first)
    chosen = doctor.get("/who/").json()["structure"]
    other = BrowserSession()
    assert sign_in(other, simulator, "doctor-two-activities")["Location"] == PAGE
    assert other.browser.get("/who/").json()["structure"] == chosen
    other.close()


def test_removed_activity_is_asked_for_again(doctor, simulator):
    [_first, (_code, second)] = cards(doctor.get(ASKED))
    choose(doctor, second)
    shown = simulator.people["doctor-two-activities"]
    claims = shown.claims()
    # Another activity replaces the chosen one.
    claims["SubjectRefPro"]["exercices"][0]["activities"][1]["identifiantTechniqueDeLaStructure"] = "R99999999"
    other = BrowserSession()
    assert sign_in(other, simulator, Person("moved", claims))["Location"] == ASKED
    page = other.browser.get(ASKED).content.decode()
    assert "aria-current" not in page
    assert "The activity you had chosen is no longer one of yours." in page
    # An older session is asked too.
    assert doctor.get("/who/").json()["must_choose"]
    other.close()


def test_back_link_is_for_changes_and_logout_for_all(doctor):
    asked = doctor.get(ASKED)
    assert ">Back</a>" not in asked.content.decode()
    [(_code, key), _second] = cards(asked)
    choose(doctor, key)
    assert f'<a href="{PAGE}" data-turbo="false" hx-boost="false">Back</a>' in doctor.get(ASKED).content.decode()
    page = doctor.get("/psc/psc/activity/").content.decode()
    assert '<a href="/" data-turbo="false" hx-boost="false">Back</a>' in page
    assert "no longer one of yours" not in page
    assert all("psc-logout-button" in each for each in (asked.content.decode(), page))


def test_without_an_allowed_activity_nothing_is_asked(doctor, provider):
    AccessRule.objects.create(provider=provider, outcome="refuse", conditions=[])
    page = doctor.get(ASKED).content.decode()
    assert "This site accepts none of your activities" in page
    assert "Which activity are you signing in for" not in page
    assert 'name="activity_choice"' not in page
    assert "psc-logout-button" in page


@pytest.mark.parametrize("who", ["podiatrist", "no-professional-data", "structure-secretary"])
def test_person_with_one_activity_is_not_asked(provider, simulator, person, who):
    assert sign_in(person, simulator, who)["Location"] == PAGE
    assert not person.browser.get("/who/").json()["must_choose"]


def test_without_professional_data_the_page_redirects(provider, simulator, person):
    sign_in(person, simulator, "no-professional-data")
    assert person.browser.get(ASKED)["Location"] == PAGE


@pytest.mark.parametrize(
    ("ask", "who", "is_asked"),
    [
        ("never", "doctor-five-activities", False),
        ("several", "doctor-two-exercices", True),
        ("always", "podiatrist", True),
        ("always", "doctor-two-activities", True),
        ("always", "no-professional-data", False),
    ],
)
def test_provider_setting_decides_when_to_ask(simulator, person, ask, who, is_asked):
    make_provider(simulator, ask_activity=ask)
    assert (sign_in(person, simulator, who)["Location"] == ASKED) is is_asked


def test_always_asks_again_and_marks_the_last_choice(simulator, person):
    make_provider(simulator, ask_activity="always")
    sign_in(person, simulator, "doctor-two-activities")
    [_first, (_code, second)] = cards(person.browser.get(ASKED))
    choose(person.browser, second)
    other = BrowserSession()
    assert sign_in(other, simulator, "doctor-two-activities")["Location"] == ASKED
    assert f'value="{second}" aria-current="true"' in other.browser.get(ASKED).content.decode()
    other.close()


def test_restricted_page_asks_for_the_activity_first(doctor):
    assert doctor.get("/doctors/")["Location"] == "/psc/psc/activity/?next=%2Fdoctors%2F"
    answer = doctor.get("/doctors/", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (403, "professional_activity_not_chosen")
    [_first, (_code, second)] = cards(doctor.get(ASKED))
    choose(doctor, second)
    assert doctor.get("/doctors/").status_code == 200


def test_only_the_chosen_activity_decides(provider, simulator, person):
    claims = simulator.people["doctor-two-exercices"].claims()
    claims["SubjectRefPro"]["exercices"][1]["codeProfession"] = "60"
    sign_in(person, simulator, Person("doctor-and-nurse", claims))
    offered = dict(cards(person.browser.get(ASKED)))
    choose(person.browser, offered["60"])
    response = person.browser.get("/doctors/")
    assert response.status_code == 403
    assert "/psc/psc/activity/?next=%2Fdoctors%2F" in response.content.decode()
    choose(person.browser, offered["10"])
    assert person.browser.get("/doctors/").status_code == 200


@pytest.mark.parametrize("key", ["", "0" * 16, "x" * 5000, "é\x00"])
def test_unknown_activity_is_asked_again(doctor, key):
    response = choose(doctor, key)
    assert response.status_code == 409
    assert len(cards(response)) == 2
    assert doctor.get("/who/").json()["must_choose"]


@pytest.mark.parametrize("next_page", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/psc/login/"])
def test_choice_redirects_to_pages_of_this_site_only(doctor, next_page):
    [(_code, key), _second] = cards(doctor.get(ASKED))
    assert choose(doctor, key, next_page)["Location"] == "/"


def test_anonymous_user_is_redirected_to_the_login(provider, client):
    assert client.get(ASKED)["Location"] == f"/psc/psc/login/?next={PAGE.replace('/', '%2F')}"
    assert client.post("/psc/psc/activity/", {"activity_choice": "x"})["Location"] == "/psc/psc/login/"


def test_activity_page_of_another_provider_redirects_to_its_login(doctor, simulator):
    make_provider(simulator, "psc-two")
    assert doctor.get("/psc/psc-two/activity/")["Location"] == "/psc/psc-two/login/"


def test_choice_is_protected_against_csrf(doctor):
    doctor.handler.enforce_csrf_checks = True
    [(_code, key), _second] = cards(doctor.get(ASKED))
    assert choose(doctor, key).status_code == 403
    assert Account.objects.get().activity_choice == ""


def test_a_reload_of_the_callback_asks_again(provider, simulator, person):
    simulator.sign_in("doctor-two-activities")
    callback = person.authorize(person.begin(PAGE))
    assert person.come_back(callback)["Location"] == ASKED
    assert person.come_back(callback)["Location"] == ASKED


def test_login_of_another_person_removes_the_choice(doctor, simulator):
    [(_code, key), _second] = cards(doctor.get(ASKED))
    choose(doctor, key)
    doctor.logout()
    assert User.objects.count() == 1
    assert not Account.objects.exclude(activity_choice=key).exists()
    assert doctor.get("/who/").status_code == 302


# ── the access rules for the chosen activity ──


@pytest.fixture
def doctor_and_nurse(provider, simulator, person):
    """A person with two professions; the site has a group for nurses and a rule that refuses doctors."""
    claims = simulator.people["doctor-two-exercices"].claims()
    claims["SubjectRefPro"]["exercices"][1]["codeProfession"] = "60"
    provider.contact = "the secretariat <office@hospital.example>"
    provider.save()
    sign_in(person, simulator, Person("doctor-and-nurse", claims))
    return person.browser


def rule(provider, code, **values):
    conditions = [{"subject": "profession", "operator": "in", "values": [code]}]
    return AccessRule.objects.create(provider=provider, conditions=conditions, **values)


def groups_of_everybody():
    return set(User.objects.get().groups.values_list("name", flat=True))


def test_group_of_a_rule_follows_the_activity(provider, doctor_and_nurse):
    rule(provider, "60", outcome="group", group=Group.objects.create(name="nurses"))
    rule(provider, "10", outcome="group", group=Group.objects.create(name="doctors"))
    User.objects.get().groups.add(Group.objects.create(name="by hand"))
    keys = dict(cards(doctor_and_nurse.get(ASKED)))
    choose(doctor_and_nurse, keys["60"])
    assert groups_of_everybody() == {"nurses", "by hand"}
    choose(doctor_and_nurse, keys["10"])
    assert groups_of_everybody() == {"doctors", "by hand"}


def test_refused_activity_is_shown_and_cannot_be_chosen(provider, doctor_and_nurse):
    rule(provider, "10", outcome="refuse", message="Doctors sign in <elsewhere>.")
    response = doctor_and_nurse.get(ASKED)
    page = response.content.decode()
    keys = dict(cards(response))
    assert "Doctors sign in &lt;elsewhere&gt;." in page
    assert "mailto:office@hospital.example" in page
    assert f'value="{keys["10"]}"' not in page
    refused = choose(doctor_and_nurse, keys["10"])
    assert refused.status_code == 403
    assert Account.objects.get().activity_choice == ""
    assert doctor_and_nurse.get("/who/").json()["must_choose"]
    assert choose(doctor_and_nurse, keys["60"])["Location"] == PAGE


def test_chosen_activity_is_kept_if_another_is_refused(provider, doctor_and_nurse):
    keys = dict(cards(doctor_and_nurse.get(ASKED)))
    rule(provider, "60", outcome="group", group=Group.objects.create(name="nurses"))
    choose(doctor_and_nurse, keys["60"])
    rule(provider, "10", outcome="refuse", position=1)
    assert choose(doctor_and_nurse, keys["10"]).status_code == 403
    assert Account.objects.get().activity_choice == keys["60"]
    assert groups_of_everybody() == {"nurses"}


def link_while_they_choose(get_response):
    """A middleware has read the professional when an administrator links the account to another user."""

    def middleware(request):
        if request.method == "POST" and request.psc.account:
            link(plan_link(Account.objects.get(), User.objects.get(username="other")), by=None)
        return get_response(request)

    return middleware


def test_person_must_sign_in_again_if_the_account_is_linked_to_another_user_meanwhile(doctor, provider, settings):
    group = Group.objects.create(name="Doctors")
    AccessRule.objects.create(provider=provider, outcome="group", group=group)
    [(_code, key), _other] = cards(doctor.get(ASKED))
    before, other = Account.objects.get().user, User.objects.create_user("other")
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.views.test_activity.link_while_they_choose"]
    browser = Client()  # with the middleware
    browser.cookies = doctor.cookies
    assert choose(browser, key)["Location"].startswith("/psc/psc/login/")
    assert not before.groups.exists()
    assert not other.groups.exists()
