"""Log lines of a login, and error reports: one line with its code, and no secret."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out
from django.core.signals import got_request_exception
from django.db import connection
from django.views.debug import ExceptionReporter

from psc_connect import signals
from psc_connect.models import Account, ClaimedState, Provider
from tests.conftest import CLIENT_SECRET, make_provider
from tests.support import backend_hooks
from tests.support.access_rules import set_rules
from tests.support.breaking_receivers import breaking_receiver
from tests.support.browser_session import PAGE, BrowserSession, error_code_of
from tests.support.log_recorder import RECORDER, LogRecorder
from tests.support.logout_forms import form_fields
from tests.support.refusals import assert_sign_in_is_refused
from tests.support.secrets import save_secret

EVENTS = ("login.succeeded", "login.refused")


def events(caplog: Any) -> list[str]:
    lines = [record.getMessage() for record in caplog.records if record.name == "psc_connect"]
    return [line for line in lines if line.startswith(EVENTS)]


@pytest.mark.case("LG04")
@pytest.mark.parametrize(("known", "created"), [(False, "True"), (True, "False")])
def test_login_logs_one_event(provider, simulator, person, caplog, *, known, created):
    if known:
        BrowserSession().sign_in()
    caplog.clear()
    person.sign_in()
    account = Account.objects.get().pk
    assert events(caplog) == [f"login.succeeded provider=psc account={account} created={created} linked=False"]


def cancelled(person: BrowserSession, simulator: Any) -> Any:
    with simulator.fault("callback_error", error="access_denied"):
        return person.sign_in(PAGE)


def state_of_nobody(person: BrowserSession, simulator: Any) -> Any:
    return person.browser.get("/psc/psc/callback/?code=abc&state=unknown")


def late(person: BrowserSession, simulator: Any) -> Any:
    simulator.clock_offset = 3600
    return person.sign_in(PAGE)


def provider_down(person: BrowserSession, simulator: Any) -> Any:
    with simulator.fault("outage", endpoint="token"):
        return person.sign_in(PAGE)


def other_person(person: BrowserSession, simulator: Any) -> Any:
    with simulator.fault("other_sub"):
        return person.sign_in(PAGE)


def unknown_person(person: BrowserSession, simulator: Any) -> Any:
    Provider.objects.update(create_unknown_users=False)
    return person.sign_in(PAGE)


def wrong_secret(person: BrowserSession, simulator: Any) -> Any:
    save_secret("another-secret-4711")
    return person.sign_in(PAGE)


def no_secret(person: BrowserSession, simulator: Any) -> Any:
    Provider.objects.filter(slug="psc").update(client_secret="")
    return person.browser.get("/psc/psc/login/")


def disabled(person: BrowserSession, simulator: Any) -> Any:
    Provider.objects.update(enabled=False)
    return person.browser.get("/psc/psc/login/")


def prefetched(person: BrowserSession, simulator: Any) -> Any:
    return person.browser.get("/psc/psc/login/", headers={"Sec-Purpose": "prefetch"})


def injected(person: BrowserSession, simulator: Any) -> Any:
    lines = "x\r\nlogin.succeeded provider=psc account=1\x1b[31m\u202e"
    with simulator.fault("callback_error", error=lines, description=lines):
        return person.sign_in(PAGE)


OUTCOMES = {
    cancelled: "authorization_access_denied",
    state_of_nobody: "authorization_state_unknown",
    late: "id_token_issued_in_future",
    provider_down: "provider_server_error",
    other_person: "userinfo_subject_mismatch",
    unknown_person: "account_unknown",
    wrong_secret: "token_unauthorized_client",
    no_secret: "secret_missing",
    disabled: "no_provider",
    prefetched: "login_not_a_visit",
    injected: "authorization_unrecognised",
}


@pytest.mark.case("LG04", "LG03")
@pytest.mark.parametrize(("act", "code"), OUTCOMES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_refusal_logs_one_event_with_its_code_and_the_reference_of_the_page(
    provider, simulator, person, caplog, *, act, code
):
    response = act(person, simulator)
    assert error_code_of(response) == code
    reference = response.context["reference"]
    assert len(reference) == 8
    assert f"<dd>{reference}</dd>" in response.content.decode()
    assert events(caplog) == [f"login.refused code={code} provider=psc reference={reference}"]


def missing(rows: Any) -> None:
    rows.create(claim="given_name_of_nobody", user_field="last_name", required=True)


def too_long(rows: Any) -> None:
    rows.create(claim="SubjectRefPro", user_field="last_name")


def taken(rows: Any) -> None:
    User.objects.create(username="podiatrist", email="taken@example.org")
    rows.create(claim="'not an address'", user_field="email", required=True)


@pytest.mark.case("LG02", "LG04")
@pytest.mark.parametrize(
    ("declare", "code", "field"),
    [
        (missing, "attribute_missing", "last_name"),
        (too_long, "attribute_rejected", "last_name"),
        (taken, "attribute_rejected", "email"),
        (lambda rows: rows.filter(user_field="username").delete(), "account_username_missing", "username"),
    ],
)
def test_refusal_of_an_attribute_names_its_field_and_not_its_value(
    provider, simulator, person, caplog, *, declare, code, field
):
    provider.exported_attributes.filter(user_field__in=("last_name", "email")).delete()
    declare(provider.exported_attributes)
    response = person.sign_in(PAGE)
    assert error_code_of(response) == code
    reference = response.context["reference"]
    assert events(caplog) == [f"login.refused code={code} provider=psc reference={reference} field={field}"]
    assert "not an address" not in caplog.text


@pytest.mark.case("LG03")
def test_field_that_is_no_name_stays_on_the_line_of_its_refusal(provider, simulator, person, caplog):
    provider.exported_attributes.create(claim="sub", user_field="x\nlogin.succeeded provider=psc", required=True)
    person.sign_in(PAGE)
    (line,) = events(caplog)
    assert line.startswith("login.refused code=attribute_field_unknown ")
    assert line.endswith(" field=x\\nlogin.succeeded provider=psc")


@pytest.mark.case("LG05")
def test_forged_client_address_is_not_logged(provider, simulator, person, caplog):
    person.browser.defaults["HTTP_X_FORWARDED_FOR"] = "203.0.113.77"
    person.sign_in()
    assert len(events(caplog)) == 1
    assert "203.0.113.77" not in caplog.text


@pytest.mark.case("LG01", "LG02")
@pytest.mark.parametrize(
    "line",
    [
        "token {token}",
        "POST code=abc&client_secret={secret}",
        "{name} signed in",
        "sub={identifier}",
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln",
        "cookie gAAAAABmZ0123456789abcdefghij",
    ],
)
def test_recorder_of_the_test_run_detects_a_secret(provider, simulator, person, line):
    person.sign_in()
    recorder = LogRecorder()
    recorder.secrets = dict(RECORDER.secrets)
    [token] = [value for value, kind in RECORDER.secrets.items() if kind == "access_token"][-1:]
    text = line.format(token=token, secret=CLIENT_SECRET, name="Fistinien", identifier="ANS20231122132732")
    recorder.handle(logging.LogRecord("some.logger", logging.DEBUG, "", 0, "%s", (text,), None))
    assert len(recorder.leaks()) >= 1
    assert text not in recorder.leaks()[0]


@pytest.mark.case("LG01")
def test_recorder_of_the_test_run_receives_every_logger(provider, simulator, person):
    person.sign_in()
    loggers = {name for name, _text in RECORDER.lines}
    assert {"psc_connect", "urllib3.connectionpool"} <= loggers
    for name in ("django.server", "psc_connect", "anything.else"):
        logging.getLogger(name).debug("heard %s", name)
        assert (name, f"heard {name}") in RECORDER.lines


@pytest.fixture
def reports():
    """Return the error reports that Django would mail to ADMINS, as text and as HTML."""
    made: list[str] = []
    # At DEBUG, Django logs template contexts for missing variables, which these reports have.
    templates = logging.getLogger("django.template")
    templates.setLevel(logging.INFO)

    def report(request: Any, **_said: Any) -> None:
        reporter = ExceptionReporter(request, *sys.exc_info())
        made.extend([reporter.get_traceback_text(), reporter.get_traceback_html()])

    got_request_exception.connect(report)
    yield made
    got_request_exception.disconnect(report)
    templates.setLevel(logging.NOTSET)


def assert_reports_are_clean(reports: list[str], person: BrowserSession, callback: str) -> None:
    assert len(reports) == 2
    for report in reports:
        assert "RuntimeError" in report
        # Django itself names the signed-in user: an identifier if the site's usernames are identifiers.
        text = re.sub(r"USER: \S+|<h3 id=.user-info.>USER</h3>\s*<p>[^<]*", "", report)
        for secret, kind in RECORDER.secrets.items():
            assert secret not in text, f"{kind} in the report"
        assert "gAAAA" not in text, "an encrypted value in the report"
    assert not person.is_signed_in
    assert "code=" in callback


@pytest.mark.case("CF02", "LG01", "LG02")
@pytest.mark.parametrize(
    "backend", [backend_hooks.WritesAndBreaks, backend_hooks.BreaksInFilter, backend_hooks.BreaksInVerify]
)
def test_error_report_of_a_failing_hook_has_no_secret_and_no_name(
    provider, simulator, person, settings, *, reports, backend
):
    backend_hooks.use_backend(settings, backend)
    person.browser.raise_request_exception = False
    callback = person.authorize(person.begin(PAGE))
    assert person.come_back(callback).status_code == 500
    assert_reports_are_clean(reports, person, callback)


@pytest.mark.case("CF02", "LG01", "LG02")
@pytest.mark.parametrize("signal", [signals.account_created, signals.signed_in])
def test_error_report_of_a_failing_receiver_has_no_secret_and_no_name(provider, simulator, person, reports, signal):
    person.browser.raise_request_exception = False
    callback = person.authorize(person.begin(PAGE))
    with breaking_receiver(signal):
        assert person.come_back(callback).status_code == 500
    assert_reports_are_clean(reports, person, callback)


@pytest.mark.case("CF02", "LG01", "LG02")
def test_error_report_of_a_failing_receiver_of_a_refusal_has_no_secret(provider, simulator, person, reports):
    set_rules(provider, others_may_sign_in=False)
    person.browser.raise_request_exception = False
    callback = person.authorize(person.begin(PAGE))
    with breaking_receiver(signals.login_refused):
        assert person.come_back(callback).status_code == 500
    assert_reports_are_clean(reports, person, callback)


@pytest.mark.case("CF02", "LG01", "LG02")
@pytest.mark.parametrize("others_may_sign_in", [True, False], ids=["of a session", "of a refused login"])
def test_error_report_of_a_logout_has_no_secret(provider, person, reports, *, others_may_sign_in):
    set_rules(provider, others_may_sign_in=others_may_sign_in)
    callback = person.authorize(person.begin(PAGE))
    page = person.come_back(callback)
    person.browser.raise_request_exception = False
    with breaking_receiver(user_logged_out):
        assert person.browser.post("/psc/psc/logout/", form_fields(page)).status_code == 500
    person.browser.logout()
    assert_reports_are_clean(reports, person, callback)


TABLES = {
    "accounts": "psc_connect_account",
    "states": "psc_connect_claimedstate",
    "sessions": "django_session",
    "users": "auth_user",
    "attributes": "psc_connect_exportedattribute",
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.case("LG04")
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_database_failure_during_a_login_shows_a_page_and_saves_nothing(simulator, person, caplog, table):
    make_provider(simulator)
    callback = person.authorize(person.begin(PAGE))
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA legacy_alter_table = ON")
        cursor.execute(f"ALTER TABLE {table} RENAME TO gone")
    try:
        response = person.come_back(callback)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE gone RENAME TO {table}")
            cursor.execute("PRAGMA legacy_alter_table = OFF")
    assert response.status_code == 503
    assert error_code_of(response) == "database_unavailable"
    assert not person.is_signed_in
    assert User.objects.count() == Account.objects.count()
    assert [line.split()[1] for line in events(caplog)] == ["code=database_unavailable"]


@pytest.mark.django_db(transaction=True)
def test_failure_to_save_the_account_saves_no_user(simulator, person):
    make_provider(simulator)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER refuses BEFORE INSERT ON psc_connect_account BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    try:
        assert_sign_in_is_refused("account_conflict", person=person, simulator=simulator)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER refuses")
    assert ClaimedState.objects.count() == 1
