"""A dry run: a complete login that saves nothing but its result."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_login_failed

from psc_connect.models import ExportedAttribute, ExportedGroup, Provider
from psc_connect.oidc.id_token import RULES
from psc_connect.signals import account_created, login_refused, signed_in
from psc_connect.simulator import Simulator
from tests.admin.pages import administrator, row, text_of
from tests.support.backend_hooks import (
    AuthenticatesNobody,
    LinksByNationalIdentifier,
    RefusesEverybody,
    RefusesOtherHosts,
    WritesAndBreaks,
    use_backend,
)
from tests.support.browser_session import BACK_CHANNEL, PAGE, BrowserSession, error_code_of, query_of
from tests.support.dry_runs import all_passed, begin, dry_run, steps_of
from tests.support.refusals import stored_data
from tests.support.stored_keys import change_provider

pytestmark = pytest.mark.django_db


def test_a_good_login_passes_every_step(admin_session: BrowserSession, provider: Provider) -> None:
    page = dry_run(admin_session, provider)
    steps = steps_of(page)
    assert all_passed(steps)
    assert {rule.name for rule in RULES} < set(steps)
    assert page.context["preview"].outcome == "created"
    text = text_of(page)
    for source in ("OpenID Connect Core 3.1.3.7 (11)", "RFC 9207", "OpenID Connect Core 5.3.2", "RFC 8725 3.12"):
        assert source in text


@pytest.mark.parametrize("is_known", [False, True])
def test_nothing_is_created_or_changed_and_nobody_is_signed_in(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator, is_known: bool
) -> None:
    if is_known:
        BrowserSession().sign_in(PAGE)
        simulator.end_sessions()
    group = Group.objects.create(name="everybody")
    ExportedGroup.objects.create(provider=provider, claim="given_name != 'x'", group=group)
    provider.exported_attributes.filter(user_field="last_name").update(claim="SubjectOrganization")
    session_key = admin_session.browser.session.session_key
    before, kept = row(provider), stored_data(admin_session)
    page = dry_run(admin_session, provider)
    after = stored_data(admin_session)
    # The result is kept in the administrator's session, encrypted.
    assert after.pop("sessions.Session") != kept.pop("sessions.Session")
    assert after == kept
    assert row(provider) == before
    assert admin_session.browser.session.session_key == session_key
    assert page.context["user"].get_username() == "administrator-"
    assert page.context["preview"].outcome == ("returning" if is_known else "created")
    assert not LogEntry.objects.exists()


def test_it_works_before_the_provider_is_enabled(admin_session: BrowserSession, provider: Provider) -> None:
    Provider.objects.update(enabled=False)
    assert dry_run(admin_session, provider).context["preview"].outcome == "created"


def test_it_asks_the_provider_as_a_login_does(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator
) -> None:
    real = query_of(BrowserSession().begin())
    simulator.clear_requests()
    url = begin(admin_session, provider)
    drawn = {"state", "nonce", "code_challenge"}
    assert {name: value for name, value in query_of(url).items() if name not in drawn} == {
        name: value for name, value in real.items() if name not in drawn
    }
    admin_session.come_back(admin_session.authorize(url))
    calls = [request.endpoint for request in simulator.requests if request.endpoint in BACK_CHANNEL]
    assert calls == ["token", "userinfo"]


def test_no_signal_is_sent(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator, caplog: Any
) -> None:
    heard: list[Any] = []

    def hear(**said: Any) -> None:
        heard.append(said)

    signals = (signed_in, account_created, login_refused, user_login_failed)
    for signal in signals:
        signal.connect(hear)
    try:
        dry_run(admin_session, provider)
        with simulator.fault("wrong_audience"):
            dry_run(admin_session, provider)
    finally:
        for signal in signals:
            signal.disconnect(hear)
    assert heard == []
    said = [record.getMessage() for record in caplog.records if record.name == "psc_connect"]
    assert said == [
        "dry_run.finished provider=psc code=none",
        "dry_run.finished provider=psc code=id_token_audience_mismatch",
    ]


@pytest.mark.parametrize(
    ("fault", "options", "step", "code"),
    [
        ("callback_error", {"error": "access_denied"}, "code", "authorization_access_denied"),
        ("wrong_iss_in_callback", {}, "response_issuer", "authorization_issuer_mismatch"),
        ("token_error", {"error": "invalid_client", "status": 401}, "token", "token_invalid_client"),
        ("outage", {"endpoint": "token"}, "token", "provider_server_error"),
        ("bad_signature", {}, "signature", "id_token_signature_invalid"),
        ("alg_none", {}, "signature", "id_token_algorithm_refused"),
        ("access_token_as_id_token", {}, "kind", "id_token_wrong_type"),
        ("wrong_issuer", {}, "issuer", "id_token_issuer_mismatch"),
        ("wrong_audience", {}, "audience", "id_token_audience_mismatch"),
        ("other_azp", {}, "authorized_party", "id_token_authorized_party_mismatch"),
        ("expired_id_token", {}, "expiry", "id_token_expired"),
        ("iat_in_the_future", {}, "issued_at", "id_token_issued_in_future"),
        ("nbf_in_the_future", {}, "not_before", "id_token_not_yet_valid"),
        ("wrong_nonce", {}, "nonce", "id_token_nonce_mismatch"),
        ("missing_sub", {}, "subject", "id_token_subject_missing"),
        ("wrong_at_hash", {}, "at_hash", "id_token_at_hash_mismatch"),
        ("maintenance_page", {"endpoint": "userinfo"}, "userinfo", "provider_maintenance_page"),
        ("userinfo_claims", {"claims": {"sub": "other"}}, "same_subject", "userinfo_subject_mismatch"),
    ],
)
def test_a_step_that_fails_is_shown_with_what_passed_before_and_was_not_reached(
    admin_session: BrowserSession,
    provider: Provider,
    simulator: Simulator,
    fault: str,
    options: Any,
    step: str,
    code: str,
) -> None:
    with simulator.fault(fault, **options):
        page = dry_run(admin_session, provider)
        # A login is refused with the same code.
        assert error_code_of(BrowserSession().sign_in()) == code
    steps = steps_of(page)
    names = list(steps)
    place = names.index(step)
    assert steps[step] == ("failed", code)
    assert all_passed({name: steps[name] for name in names[:place]})
    assert {steps[name] for name in names[place + 1 :]} <= {("not_reached", "")}
    assert page.context["result"].claims == {}
    assert page.context["preview"] is None
    assert code in text_of(page)


def test_a_rule_of_the_provider_row_is_among_the_steps(admin_session: BrowserSession, provider: Provider) -> None:
    Provider.objects.update(accepted_acr_values="eidas9")
    assert steps_of(dry_run(admin_session, provider))["acr"] == ("failed", "id_token_acr_refused")


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize("permissions", [(), ("view_provider", "change_provider")], ids=["all", "no claims"])
@pytest.mark.parametrize("accepted", ["", "eidas1 eidas2 eidas3", "eidas9"], ids=["any", "accepted", "refused"])
def test_the_received_acr_is_shown_whatever_becomes_of_it(
    provider: Provider, simulator: Simulator, permissions: tuple[str, ...], accepted: str
) -> None:
    """It says nothing about the person: the permission to see claims is not needed."""
    Provider.objects.update(accepted_acr_values=accepted)
    with simulator.fault("id_token_claims", claims={"acr": "eidas2"}):
        page = dry_run(BrowserSession(browser=administrator(*permissions).browser), provider)
    assert [step.received for step in page.context["steps"] if "(acr)" in step.text] == ["eidas2"]
    assert "Received: eidas2" in text_of(page)


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize(
    ("claims", "step"),
    [({"iss": "https://other.example"}, "(iss)"), ({"aud": "another"}, "(aud)"), ({"azp": "another"}, "(azp)")],
    ids=["iss", "aud", "azp"],
)
def test_what_a_rule_refused_is_shown(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator, claims: dict[str, str], step: str
) -> None:
    with simulator.fault("id_token_claims", claims=claims):
        page = dry_run(admin_session, provider)
    assert [each.received for each in page.context["steps"] if each.status == "failed"] == [*claims.values()]


@pytest.mark.parametrize("acr", ["\u202eeidas1", "x" * 201, '"'])
def test_an_acr_that_cannot_be_shown_is_left_out(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator, acr: str
) -> None:
    Provider.objects.update(accepted_acr_values="eidas9")
    with simulator.fault("id_token_claims", claims={"acr": acr}):
        page = dry_run(admin_session, provider)
    assert [step.received for step in page.context["steps"] if step.status == "failed"] == [""]


@pytest.mark.parametrize("is_required", [False, True])
def test_what_is_not_required_is_not_shown_as_passed(
    admin_session: BrowserSession, provider: Provider, settings: Any, is_required: bool
) -> None:
    settings.LANGUAGE_CODE = "en"
    if is_required:
        Provider.objects.update(accepted_acr_values="eidas1 eidas2 eidas3", max_age=3600)
    page = dry_run(admin_session, provider)
    steps = {step.text: step for step in page.context["steps"]}
    claims = page.context["result"].id_token_claims
    acr = steps["The person was identified as strongly as this provider's settings require (acr)."]
    moment = steps["The person was identified recently enough (auth_time)."]
    assert {acr.status, moment.status} == {"passed" if is_required else "not_required"}
    assert acr.received == claims["acr"]
    assert f"Received: {claims['acr']}" in text_of(page)
    assert bool(moment.received) == ("auth_time" in claims)


def test_a_decimal_time_is_shown_as_a_date(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator
) -> None:
    with simulator.fault("id_token_claims", claims={"auth_time": 1_790_000_000.5}):
        page = dry_run(admin_session, provider)
    assert any("2026" in step.received for step in page.context["steps"])


def test_old_identification_is_not_asked_for_again(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator
) -> None:
    with simulator.fault("old_auth_time", seconds=9 * 3600):
        assert all_passed(steps_of(dry_run(admin_session, provider)))


def test_keys_that_a_login_would_fetch_are_used_and_not_saved(
    admin_session: BrowserSession, provider: Provider, simulator: Simulator
) -> None:
    simulator.rotate_keys()
    page = dry_run(admin_session, provider)
    assert all_passed(steps_of(page))
    assert Provider.objects.get().jwks == provider.jwks


def test_a_provider_without_keys_has_dry_runs(admin_session: BrowserSession, provider: Provider) -> None:
    change_provider(provider, jwks={}, jwks_updated_at=None)
    assert all_passed(steps_of(dry_run(admin_session, provider)))
    assert Provider.objects.get().jwks == {}


# The preview: which user would be signed in.


def refused_as(admin_session: BrowserSession, provider: Provider) -> str:
    preview = dry_run(admin_session, provider).context["preview"]
    assert preview.outcome == "refused"
    return preview.code


def test_a_person_without_an_account_is_refused_where_nobody_is_created(
    admin_session: BrowserSession, provider: Provider
) -> None:
    Provider.objects.update(create_unknown_users=False)
    assert refused_as(admin_session, provider) == "account_unknown"


def test_a_deactivated_user_is_refused(admin_session: BrowserSession, provider: Provider) -> None:
    BrowserSession().sign_in(PAGE)
    get_user_model().objects.filter(psc_accounts__isnull=False).update(is_active=False)
    assert refused_as(admin_session, provider) == "account_inactive"


def test_a_mapping_without_a_username_is_refused(admin_session: BrowserSession, provider: Provider) -> None:
    provider.exported_attributes.filter(user_field="username").delete()
    assert refused_as(admin_session, provider) == "account_username_missing"


def test_a_required_claim_that_is_missing_is_refused(admin_session: BrowserSession, provider: Provider) -> None:
    provider.exported_attributes.create(claim="nothing", user_field="email", required=True)
    assert refused_as(admin_session, provider) == "attribute_missing"


def test_a_refusal_by_the_sites_own_code_is_shown(
    admin_session: BrowserSession, provider: Provider, settings: Any
) -> None:
    use_backend(settings, RefusesEverybody)
    assert refused_as(admin_session, provider) == "account_claims_refused"


def test_a_hook_of_the_site_can_read_the_request(
    admin_session: BrowserSession, provider: Provider, settings: Any
) -> None:
    use_backend(settings, RefusesOtherHosts)
    assert dry_run(admin_session, provider).context["preview"].outcome == "created"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"create_unknown_users": False}, "“create unknown users” is off"),
        ({"client_secret": "env:PSC_CONNECT_SECRET_NOWHERE"}, "that environment variable is not set"),
        ({"required": "nowhere"}, "Required, but there is no value"),
    ],
)
def test_the_reason_is_shown_to_an_administrator(
    admin_session: BrowserSession, provider: Provider, settings: Any, change: dict[str, Any], said: str
) -> None:
    settings.LANGUAGE_CODE = "en"
    if claim := change.pop("required", None):
        provider.exported_attributes.create(claim=claim, user_field="email", required=True)
    for name, value in change.items():
        setattr(provider, name, value)
    provider.save()
    assert said in text_of(dry_run(admin_session, provider))


def test_a_link_by_the_sites_own_code_is_shown(
    admin_session: BrowserSession, provider: Provider, settings: Any
) -> None:
    use_backend(settings, LinksByNationalIdentifier)
    get_user_model().objects.create_user("known", last_name="ANS20231122132732")
    page = dry_run(admin_session, provider)
    assert page.context["preview"].outcome == "linked"
    assert page.context["username"] == "known"


def test_create_user_of_the_site_is_named_and_not_called(
    admin_session: BrowserSession, provider: Provider, settings: Any
) -> None:
    use_backend(settings, WritesAndBreaks)
    page = dry_run(admin_session, provider)
    assert page.context["preview"].own_hooks == ("WritesAndBreaks.create_user",)
    assert "WritesAndBreaks.create_user" in text_of(page)
    assert not Group.objects.exists()


def test_authenticate_of_the_site_is_named_and_not_called(
    admin_session: BrowserSession, provider: Provider, settings: Any
) -> None:
    use_backend(settings, AuthenticatesNobody)
    assert dry_run(admin_session, provider).context["preview"].own_hooks == ("AuthenticatesNobody.authenticate",)


def test_each_attribute_is_shown_with_the_values_that_its_field_takes(
    admin_session: BrowserSession, provider: Provider, settings: Any
) -> None:
    settings.LANGUAGE_CODE = "en"
    for claim, field in (("SubjectOrganization", "email"), ("nothing", "date_joined")):
        provider.exported_attributes.create(claim=claim, user_field=field)
    ExportedAttribute.objects.filter(user_field="last_name").update(user_field="gone")
    rows = {row.field: row for row in dry_run(admin_session, provider).context["attributes"]}
    assert rows["first_name"].result == f"The field becomes “{rows['first_name'].found}”."
    assert rows["first_name"].takes == "text, at most 150 characters"
    assert rows["username"].takes == "text, at most 150 characters, unique"
    assert rows["email"].is_problem
    assert rows["email"].takes.startswith("an e-mail address")
    assert "No value" in rows["date_joined"].result
    assert rows["gone"].is_problem


def test_the_preview_uses_the_current_mapping(admin_session: BrowserSession, provider: Provider) -> None:
    page = dry_run(admin_session, provider)
    provider.exported_attributes.create(claim="nothing", user_field="email", required=True)
    again = admin_session.browser.get(page.request["PATH_INFO"])
    assert (page.context["preview"].code, again.context["preview"].code) == ("", "attribute_missing")


def test_groups_are_shown(admin_session: BrowserSession, provider: Provider) -> None:
    for name, equals in (("podiatrists", "80"), ("doctors", "10")):
        group = Group.objects.create(name=name)
        path = "SubjectRefPro.exercices[].codeProfession"
        ExportedGroup.objects.create(provider=provider, claim=path, equals=equals, group=group)
    preview = dry_run(admin_session, provider).context["preview"]
    assert {row.group.name: holds for row, holds in preview.groups} == {"podiatrists": True, "doctors": False}
