"""The test of the connection, and the acceptance of what the provider publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psc_connect.admin.base import ProviderPage, administrator
from psc_connect.admin.history import value_in_words
from psc_connect.admin.reauthentication import why_not
from psc_connect.admin.signed_payloads import PayloadExpired, read_signed_payload, sign_payload, tell_expired
from psc_connect.administrator_messages import explain, form_errors_of
from psc_connect.diagnosis import WORDS, Diagnosis, Status, diagnose
from psc_connect.diagnosis.provider_checks import USED_MEMBERS
from psc_connect.login.site_urls import declared_addresses
from psc_connect.models import DeclarationChange
from psc_connect.oidc.errors import MetadataError
from psc_connect.providers import audit, metadata, validation
from psc_connect.providers.metadata import MetadataRefused

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.http import HttpRequest, HttpResponse

    from psc_connect.models import Provider

SUMMARIES = {
    Status.PASSED: _("Everything is in order: professionals can sign in."),
    Status.NOT_JUDGED: _("Everything that could be judged is in order."),
    Status.WARNING: _("Nothing was found that keeps professionals from signing in, but something needs attention."),
    Status.FAILED: _("Professionals cannot sign in, or should not, until what failed is fixed."),
}
REFUSED = {
    "metadata_other_recipient": _(
        "With it, the client secret would go to another issuer or host: paste the document into the form and enter the "
        "client secret again, or declare a second provider."
    ),
    "metadata_changed_meanwhile": _("Other metadata has been saved meanwhile. Test the connection again."),
}


def kind_of_payload(provider: Provider) -> str:
    return f"metadata of {provider.pk}"


class ConnectionPage(ProviderPage):
    """Asks before it calls: the test begins with the button."""

    name = "connection"
    title = _("Test the connection")
    template_name = "admin/psc_connect/provider/connection.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render(request, lines=[], members=[], key_changes=None)

    def post(self, request: HttpRequest) -> HttpResponse:
        diagnosis = diagnose(self.provider, declared_addresses(request, self.provider))
        lines = [{"finding": finding, "word": WORDS[finding.status]} for finding in diagnosis.findings]
        differences = self._differences(diagnosis)
        return self.render(
            request,
            lines=lines,
            summary=SUMMARIES[diagnosis.status],
            outcome=diagnosis.status.value,
            key_changes=diagnosis.key_changes,
            why_not=why_not(request),
            **differences,
        )

    def _differences(self, diagnosis: Diagnosis) -> dict[str, Any]:
        """Return the differences of the metadata, those that logins use first."""
        comparison = diagnosis.comparison
        if comparison is None or not comparison.diff:
            return {"members": []}
        rows = [
            {
                "name": each.name,
                "old": value_in_words("metadata", each.old),
                "new": value_in_words("metadata", each.new),
                "is_used": each.name in USED_MEMBERS,
                "is_trusted": each.name in validation.TRUSTED_MEMBERS,
            }
            for each in comparison.diff
        ]
        rows.sort(key=lambda row: not row["is_used"])
        payload = {"document": comparison.document, "kept": self.provider.metadata}
        return {"members": rows, "payload": sign_payload(kind_of_payload(self.provider), payload)}


class AcceptMetadataPage(ProviderPage):
    """Saves the ticked members as they were shown."""

    name = "accept_metadata"
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            accepted = read_signed_payload(kind_of_payload(self.provider), request.POST.get("payload"))
        except PayloadExpired:
            tell_expired(request)
            return self.to("change")
        names = request.POST.getlist("member")
        if accepted["kept"] != self.provider.metadata:
            messages.error(request, REFUSED["metadata_changed_meanwhile"])
        elif not names:
            messages.warning(request, gettext("No difference was ticked: nothing has been changed."))
        elif self._save(request, metadata.with_members(self.provider.metadata, accepted["document"], names)):
            self._save_to_other_declarations(request, accepted["document"], names)
            self._stop_following(request, accepted["document"])
        return self.to("change")

    def _save_to_other_declarations(
        self, request: HttpRequest, document: dict[str, object], names: Collection[str]
    ) -> None:
        """Save to the other declarations of the issuer what they would follow at the next login."""
        for other in metadata.other_followers(self.provider):
            self._save_to(request, other, metadata.with_members(other.metadata, document, names))

    def _save_to(self, request: HttpRequest, other: Provider, wanted: dict[str, object]) -> None:
        source, by = DeclarationChange.Source.ADMIN, administrator(request)
        try:
            if metadata.save_metadata(other, wanted, source=source, by=by):
                text = gettext("The same has been saved for %(slug)s, which has the same issuer.")
                messages.info(request, text % {"slug": other.slug})
        except (MetadataRefused, MetadataError) as exc:
            text = gettext("Nothing has been saved for %(slug)s, which has the same issuer. %(reason)s")
            reason = REFUSED[exc.code] if isinstance(exc, MetadataRefused) else explain(exc.code)
            messages.warning(request, text % {"slug": other.slug, "reason": reason})

    def _stop_following(self, request: HttpRequest, document: dict[str, object]) -> None:
        """Stop following the metadata, if something was left out: the next login would save it."""
        kept = self.provider.metadata
        left_out = [name for name in USED_MEMBERS if kept.get(name) != document.get(name)]
        if left_out and self.provider.metadata_followed:
            source, by = DeclarationChange.Source.ADMIN, administrator(request)
            with transaction.atomic(), audit.recorded(self.provider, source=source, by=by):
                self.provider.metadata_followed = False
                self.provider.save(update_fields=["metadata_followed"])
            text = gettext(
                "“Follow the published metadata” is now off, so that what you left out stays out: %(names)s."
            )
            messages.info(request, text % {"names": ", ".join(left_out)})

    def _save(self, request: HttpRequest, wanted: dict[str, object]) -> bool:
        # This page only takes POST: return to the page of the test.
        reason = why_not(request, page=self.url("connection", self.provider.pk))
        if reason and validation.changes_trust(self.provider.metadata, wanted):
            messages.error(request, reason)
            return False
        try:
            source, by = DeclarationChange.Source.ADMIN, administrator(request)
            if not metadata.save_metadata(self.provider, wanted, source=source, by=by):
                messages.warning(request, gettext("The ticked members do not differ: nothing has been changed."))
                return False
        except MetadataRefused as exc:
            messages.error(request, REFUSED[exc.code])
        except MetadataError as exc:
            text = gettext("Nothing has been saved. %(reason)s")
            messages.error(request, text % {"reason": " ".join(ValidationError(form_errors_of(exc)).messages)})
        else:
            self.model_admin.log_change(request, self.provider, [{"changed": {"fields": ["provider metadata"]}}])
            messages.success(request, gettext("The metadata has been updated with what you accepted."))
            return True
        return False
