"""A complete login without failures."""

from __future__ import annotations

from django.contrib.auth import get_user_model


def test_professional_signs_in_and_is_redirected_to_the_requested_page(provider, person):
    response = person.sign_in("/page/one/")
    assert response.status_code == 302
    assert response["Location"] == "/page/one/"
    assert person.browser.get("/page/one/").content == b"page one of ANS20231122132732"
    user = get_user_model().objects.get()
    assert (user.first_name, user.last_name) == ("Fistinien", "Grominoch")
