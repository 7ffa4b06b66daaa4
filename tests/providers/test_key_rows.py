"""The rows of signing keys: what becomes of each when another key set comes."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import IntegrityError, transaction
from jwt.algorithms import RSAAlgorithm

from psc_connect.models import Provider, SigningKey
from psc_connect.oidc.errors import JWKSError
from psc_connect.providers.key_rows import PINNED, RETIRED, rows_of_document, save_rows, states_of, with_states
from tests.support.key_sets import EC_KEY, OTHER_KEY, PRIVATE_KEY, UNUSABLE, jwk
from tests.support.stored_keys import store_keys

pytestmark = pytest.mark.django_db

EC, OTHER = (SigningKey.read(jwk).thumbprint for jwk in (EC_KEY, OTHER_KEY))


@pytest.fixture
def stored(db: None) -> Provider:
    provider = Provider.objects.create(slug="psc", client_id="c")
    store_keys(provider, {"keys": [EC_KEY, OTHER_KEY]})
    return provider


def publish(provider: Provider, *keys: Any) -> Provider:
    save_rows(provider, rows_of_document({"keys": [*keys]}, known=provider.key_rows))
    return Provider.objects.get()


def decide(provider: Provider, thumbprint: Any, state: str) -> None:
    save_rows(provider, with_states(provider.key_rows, {**states_of(provider.key_rows), thumbprint: state}))


def test_a_key_under_two_names_is_found_by_both(stored: Provider) -> None:
    after = publish(stored, EC_KEY, {**EC_KEY, "kid": "second name"})
    assert [key.kid for key in after.key_set().keys] == [EC_KEY["kid"], "second name"]
    decide(after, EC, RETIRED)
    assert not Provider.objects.get().key_set().keys


def test_a_key_that_is_published_for_two_algorithms_serves_both(stored: Provider) -> None:
    key = jwk(rsa.generate_private_key(65537, 2048).public_key(), RSAAlgorithm)
    after = publish(stored, {**key, "alg": "RS256"}, {**key, "alg": "PS256"})
    assert [found.alg for found in after.key_set().keys] == ["RS256", "PS256"]
    decide(after, after.key_set().keys[0].thumbprint, RETIRED)
    assert not Provider.objects.get().key_set().keys


def test_a_key_that_is_published_twice_is_kept_once(stored: Provider) -> None:
    assert publish(stored, EC_KEY, EC_KEY, {"kid": "broken"}, {"kid": "broken"}).jwks == {
        "keys": [EC_KEY, {"kid": "broken"}]
    }


@pytest.mark.parametrize("reason", UNUSABLE)
def test_a_key_that_cannot_be_used_is_kept_with_its_reason_and_without_its_private_part(
    stored: Provider, reason: str
) -> None:
    after = publish(stored, EC_KEY, UNUSABLE[reason])
    assert [key.reason for key in after.key_set().ignored] == [reason]
    assert after.signing_keys.get(thumbprint=None).kid == (UNUSABLE[reason].get("kid") or "")
    assert PRIVATE_KEY["d"] not in str([*after.signing_keys.values()])


def test_a_pinned_key_that_is_withdrawn_stays(stored: Provider) -> None:
    decide(stored, OTHER, PINNED)
    after = publish(stored, EC_KEY)
    assert {key.thumbprint for key in after.key_set().keys} == {EC, OTHER}
    assert after.jwks_pinned == [OTHER]


def test_a_retired_key_that_is_withdrawn_and_published_again_is_still_retired(stored: Provider) -> None:
    decide(stored, OTHER, RETIRED)
    after = publish(stored, EC_KEY)
    assert (after.jwks, after.jwks_retired) == ({"keys": [EC_KEY]}, [OTHER])
    again = publish(after, EC_KEY, OTHER_KEY)
    assert [key.thumbprint for key in again.key_set().keys] == [EC]
    assert [key.reason for key in again.key_set().ignored] == ["jwks_key_retired"]


def test_a_decision_about_an_unpublished_key_goes_with_its_end(stored: Provider) -> None:
    decide(stored, "A" * 43, RETIRED)
    assert stored.jwks_retired == ["A" * 43]
    decide(stored, "A" * 43, "current")
    assert stored.signing_keys.count() == 2


def test_a_set_whose_keys_are_all_retired_is_refused(stored: Provider) -> None:
    decide(stored, EC, RETIRED)
    with pytest.raises(JWKSError) as refused:
        rows_of_document({"keys": [EC_KEY]}, known=stored.key_rows)
    assert refused.value.code == "jwks_all_retired"


def test_the_same_set_writes_nothing(stored: Provider) -> None:
    before = [*stored.signing_keys.values()]
    publish(stored, EC_KEY, OTHER_KEY)
    assert [*stored.signing_keys.values()] == before


def test_the_same_set_in_another_order_writes_nothing(stored: Provider) -> None:
    version, before = Provider.objects.get().version, [*stored.signing_keys.values()]
    after = publish(stored, OTHER_KEY, EC_KEY)
    assert (after.version, [*after.signing_keys.values()]) == (version, before)


@pytest.mark.parametrize("thumbprint", [None, "A" * 43])
def test_a_retired_key_whose_row_lacks_its_thumbprint_verifies_nothing(
    stored: Provider, thumbprint: str | None
) -> None:
    """The site's own code may write such a row."""
    stored.signing_keys.filter(thumbprint=EC).update(thumbprint=thumbprint, state=RETIRED)
    assert [key.thumbprint for key in Provider.objects.get().key_set().keys] == [OTHER]
    assert [key.thumbprint for key in Provider.objects.get_with_keys(slug="psc").key_set().keys] == [OTHER]


def test_a_retired_key_whose_row_lacks_its_thumbprint_stays_retired_when_it_is_fetched(stored: Provider) -> None:
    stored.signing_keys.filter(thumbprint=EC).update(thumbprint=None, state=RETIRED)
    after = publish(Provider.objects.get(), EC_KEY, OTHER_KEY)
    assert ([key.thumbprint for key in after.key_set().keys], after.jwks_retired) == ([OTHER], [EC])


def test_the_database_keeps_a_key_once(stored: Provider) -> None:
    row = SigningKey.read(EC_KEY)
    row.provider = stored
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_a_pinned_key_says_whether_the_provider_has_withdrawn_it(stored: Provider) -> None:
    decide(stored, OTHER, PINNED)
    before = Provider.objects.get().version
    for keys, withdrawn in (([EC_KEY], True), ([EC_KEY], True), ([EC_KEY, OTHER_KEY], False)):
        after = publish(Provider.objects.get(), *keys)
        assert after.signing_keys.get(thumbprint=OTHER).withdrawn is withdrawn
        # The provider did it. The declaration is the same.
        assert after.version == before


def test_a_decision_does_not_hide_that_a_key_is_withdrawn(stored: Provider) -> None:
    decide(stored, OTHER, PINNED)
    after = publish(stored, EC_KEY)
    decide(after, EC, PINNED)
    assert Provider.objects.get().signing_keys.get(thumbprint=OTHER).withdrawn
