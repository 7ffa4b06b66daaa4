"""A site that deletes users by marking them: its default manager hides them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from psc_connect.backends import ProSanteConnectBackend
from psc_connect.models import Account
from tests.support import backend_hooks
from tests.support.browser_session import PAGE
from tests.support.refusals import assert_sign_in_is_refused

User = get_user_model()
pytestmark = pytest.mark.django_db


class CreatesDeletedUsers(ProSanteConnectBackend):
    """Creates users that an administrator has to admit."""

    def create_user(self, claims: Any) -> Any:
        return User.everyone.create(username="new", is_deleted=True)


class DeletesUsers(ProSanteConnectBackend):
    def update_user(self, user: Any, claims: Any) -> Any:
        user.is_deleted = True
        user.save(update_fields=["is_deleted"])
        return user


def test_user_that_the_manager_finds_signs_in(provider, person):
    assert person.sign_in(PAGE)["Location"] == PAGE
    person.browser.logout()
    assert person.sign_in(PAGE)["Location"] == PAGE
    assert person.browser.get(PAGE).status_code == 200


def test_user_that_the_manager_hides_is_refused_before_a_session_is_opened(provider, simulator, person):
    person.sign_in()
    person.browser.logout()
    User.everyone.update(is_deleted=True)
    assert_sign_in_is_refused("account_inactive", person=person, simulator=simulator)


def test_new_user_that_the_manager_hides_is_not_kept(provider, simulator, person, settings):
    backend_hooks.use_backend(settings, CreatesDeletedUsers)
    assert_sign_in_is_refused("account_inactive", person=person, simulator=simulator)
    assert not User.everyone.exists()
    assert not Account.objects.exists()


def test_user_that_a_hook_hides_is_refused_and_the_change_is_undone(provider, simulator, person, settings):
    person.sign_in()
    person.browser.logout()
    backend_hooks.use_backend(settings, DeletesUsers)
    assert_sign_in_is_refused("account_inactive", person=person, simulator=simulator)
    assert User.objects.exists()
