"""Many activities and many rules; `benchmarks/` measures what they cost."""

from __future__ import annotations

from psc_connect.access.activity_choice import Choice
from psc_connect.access.rules import decide_login
from psc_connect.models import Provider
from psc_connect.professional.userinfo import read_userinfo
from tests.support.many_rules import fifty_activities, twenty_rules

PROVIDER = Provider(others_may_sign_in=False)


def test_twenty_rules_decide_on_the_chosen_activity() -> None:
    person = read_userinfo(fifty_activities())
    choice = Choice(person.activity_choices[-1])
    assert decide_login(PROVIDER, twenty_rules(), person, choice=choice, acr="").groups == {1}


def test_twenty_rules_decide_on_fifty_activities_before_one_is_chosen() -> None:
    person = read_userinfo(fifty_activities())
    assert len(person.activity_choices) == 50
    assert decide_login(PROVIDER, twenty_rules(), person, choice=Choice(must_ask=True), acr="").groups == {1}
