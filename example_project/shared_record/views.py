"""The pages of the demonstration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from psc_connect.current_professional import PSCRequest
from psc_connect.decorators import psc_required
from psc_connect.models import Provider
from psc_connect.models.user_fields import assignable_fields
from shared_record.receivers import CLAIMS

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

    class SignedInRequest(PSCRequest):
        user: User


@login_not_required
def home(request: HttpRequest) -> HttpResponse:
    has_provider = Provider.objects.filter(enabled=True).exists()
    return render(request, "shared_record/home.html", {"has_provider": has_provider})


# Pro Santé Connect's values for the means and the level of authentication.
MEANS = {"CARD": _("CPS card"), "MOBILE": _("e-CPS application")}
LEVELS = {"eidas1": _("eIDAS low"), "eidas2": _("eIDAS substantial"), "eidas3": _("eIDAS high")}


# LoginRequiredMiddleware protects this view.
def me(request: SignedInRequest) -> HttpResponse:
    account = request.psc.account
    claims = request.session.get(CLAIMS)
    context = {
        "account": account,
        "means": MEANS.get(request.psc.means, request.psc.means),
        "level": LEVELS.get(request.psc.acr, request.psc.acr),
        "attributes": _attributes(request, account.provider) if account else [],
        "claims": json.dumps(claims, ensure_ascii=False, indent=2) if claims else "",
    }
    return render(request, "shared_record/me.html", context)


@psc_required(profession="10")
def prescriptions(request: PSCRequest) -> HttpResponse:
    """A page for doctors: 10 is their code in ANS's table of professions, TRE_G15."""
    return render(request, "shared_record/prescriptions.html")


def _attributes(request: SignedInRequest, provider: Provider) -> list[dict[str, Any]]:
    names = {field.name: field.verbose_name for field in assignable_fields()}
    return [
        {
            "claim": row.claim,
            "field": names.get(row.user_field, row.user_field),
            "value": getattr(request.user, row.user_field, ""),
            "when": row.get_when_display(),
        }
        for row in provider.exported_attributes.all()
    ]
