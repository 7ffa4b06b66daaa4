"""What reading a professional, deciding by rules and evaluating claims cost."""

from __future__ import annotations

import json

import jmespath

from benchmarks.rounds import ROUNDS, measure, print_table
from psc_connect.access.activity_choice import Choice
from psc_connect.access.rules import decide_login
from psc_connect.claims.claims import Claims
from psc_connect.claims.paths import claim_value
from psc_connect.claims.samples import load_sample
from psc_connect.models import Provider
from psc_connect.oidc.errors import IDTokenError
from psc_connect.oidc.jws import verify_compact
from psc_connect.oidc.strict_json import loads_strict
from psc_connect.professional.userinfo import read_userinfo
from tests.oidc.tokens import claims, key_set, sign
from tests.support.many_rules import fifty_activities, twenty_rules

PATHS = ("given_name", "family_name", "SubjectNameID")


def reading_and_deciding() -> None:
    token, keys = sign(claims()), key_set()
    userinfo, rules, provider = fifty_activities(), twenty_rules(), Provider(others_may_sign_in=False)
    text = json.dumps(userinfo).encode()
    person = read_userinfo(userinfo)
    chosen, undecided = Choice(person.activity_choices[-1]), Choice(must_ask=True)
    unit = "one RS256 verification"
    works = {
        unit: lambda: verify_compact(token, algorithm="RS256", keys=keys, error=IDTokenError),
        "JSON of fifty activities": lambda: loads_strict(text),
        "reading fifty activities": lambda: read_userinfo(userinfo),
        "twenty rules, activity chosen": lambda: decide_login(provider, rules, person, choice=chosen, acr=""),
        "twenty rules, fifty activities": lambda: decide_login(provider, rules, person, choice=undecided, acr=""),
    }
    print_table(f"A login, {ROUNDS} rounds", measure(works), unit=unit)


def evaluating_claims() -> None:
    document = load_sample("doctor-two-exercices-2022")

    def with_our_bounds() -> None:
        evaluated = Claims(document)
        for path in PATHS:
            claim_value(path, evaluated)

    def with_jmespath_alone() -> None:
        for path in PATHS:
            jmespath.search(path, dict(document))

    works = {"jmespath alone": with_jmespath_alone, "with our bounds": with_our_bounds}
    print_table(f"The first mapping, {ROUNDS} rounds", measure(works), unit="jmespath alone")
