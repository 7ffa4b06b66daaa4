"""The signals of a login, and the effects of failing hooks and receivers."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection

from psc_connect import signals
from psc_connect.exceptions import LoginRefused
from psc_connect.models import Account
from tests.accounts.test_linking import IDENTIFIER, PODIATRIST, sign_in_as
from tests.conftest import make_provider
from tests.support import backend_hooks
from tests.support.browser_session import BrowserSession
from tests.support.refusals import assert_sign_in_is_refused


@pytest.fixture
def sent_signals():
    """Every signal that was sent, with its arguments."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def listener(name: str) -> Any:
        return lambda **kwargs: sent.append((name, kwargs))

    receivers = {name: listener(name) for name in ("account_created", "account_linked", "signed_in", "login_refused")}
    for name, receiver in receivers.items():
        getattr(signals, name).connect(receiver)
    yield sent
    for name, receiver in receivers.items():
        getattr(signals, name).disconnect(receiver)


def test_signals_of_a_first_and_a_later_login(provider, simulator, sent_signals):
    for _login in range(2):
        sign_in_as(simulator, PODIATRIST)
    assert [name for name, _kwargs in sent_signals] == ["account_created", "signed_in", "signed_in"]
    for _name, kwargs in sent_signals:
        assert (kwargs["user"], kwargs["account"]) == (User.objects.get(), Account.objects.get())
        assert kwargs["claims"]["SubjectNameID"] == IDENTIFIER
        assert kwargs["request"].user == kwargs["user"]
        with pytest.raises(TypeError):
            kwargs["claims"]["is_staff"] = True


def test_signals_of_a_linked_account(provider, simulator, sent_signals, settings):
    backend_hooks.use_backend(settings, backend_hooks.LinksByNationalIdentifier)
    known = User.objects.create(username="known", last_name=IDENTIFIER)
    sign_in_as(simulator, PODIATRIST)
    assert [(name, kwargs["user"]) for name, kwargs in sent_signals] == [
        ("account_linked", known),
        ("signed_in", known),
    ]


def test_signal_of_a_refusal_has_no_personal_data(provider, simulator, person, sent_signals):
    type(provider).objects.update(create_unknown_users=False)
    response = assert_sign_in_is_refused("account_unknown", person=person, simulator=simulator)
    [(name, kwargs)] = sent_signals
    assert name == "login_refused"
    assert set(kwargs) == {"signal", "sender", "request", "provider", "code", "reference"}
    assert (kwargs["provider"], kwargs["code"], kwargs["reference"]) == (
        "psc",
        "account_unknown",
        response.context["reference"],
    )


@pytest.mark.django_db(transaction=True)
def test_signals_of_a_login_are_sent_after_its_transaction(simulator, sent_signals):
    make_provider(simulator)
    open_transactions = []
    receiver = lambda **kwargs: open_transactions.append(connection.in_atomic_block)  # noqa: E731
    signals.account_created.connect(receiver)
    try:
        sign_in_as(simulator, PODIATRIST)
    finally:
        signals.account_created.disconnect(receiver)
    assert open_transactions == [False]


def test_receiver_that_refuses_the_login_leaves_no_session(provider, simulator, person):
    def refuse(**_kwargs: Any) -> None:
        raise LoginRefused("account_refused_by_site")

    signals.signed_in.connect(refuse)
    try:
        response = person.sign_in()
    finally:
        signals.signed_in.disconnect(refuse)
    assert response.status_code == 403
    assert response.context["code"] == "account_refused_by_site"
    assert not person.is_signed_in


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("known", [False, True])
def test_failing_hook_saves_nothing(simulator, settings, known):
    make_provider(simulator)
    if known:
        sign_in_as(simulator, PODIATRIST)
    users = User.objects.count()
    backend_hooks.use_backend(settings, backend_hooks.WritesAndBreaks)
    person = BrowserSession()
    person.browser.raise_request_exception = False
    assert person.sign_in().status_code == 500
    person.close()
    assert not person.is_signed_in
    assert (User.objects.count(), Account.objects.count(), Group.objects.count()) == (users, users, 0)
