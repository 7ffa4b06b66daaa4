"""The whole journey, when nothing goes wrong."""

from __future__ import annotations

from django.contrib.auth import get_user_model


def test_a_professional_signs_in_and_lands_on_the_page_first_asked_for(provider, person):
    response = person.sign_in("/page/one/")
    assert response.status_code == 302
    assert response["Location"] == "/page/one/"
    assert person.browser.get("/page/one/").content == b"page one of ANS20231122132732"
    user = get_user_model().objects.get()
    assert (user.first_name, user.last_name) == ("Fistinien", "Grominoch")
