"""A site where every form of an identifier is a username, and every page has somebody to show."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.test import Client as Browser

from psc_connect.accounts import merging
from psc_connect.accounts.identifiers import Identifier, row_of
from psc_connect.accounts.unlinking import unlink
from psc_connect.dry_run import run
from psc_connect.encryption import DRY_RUN, cipher_for
from psc_connect.login_steps import STEPS
from psc_connect.models import Account, Provider
from psc_connect.professional.identifiers import luhn_holds
from psc_connect.professional.professional import Professional
from psc_connect.professional.snapshot import to_snapshot
from tests.admin.pages import Administrator
from tests.support.people import REALM

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


def rpps(number: int) -> str:
    """Return an RPPS number that no sample has, with its check digit."""
    digits = f"9985{number:06d}"
    return next(f"{digits}{last}" for last in range(10) if luhn_holds(f"{digits}{last}"))


@dataclass
class Clinic:
    """``identifiers``: every one that is kept of a person, and every username that is or contains one."""

    provider: Provider
    # Has changed everything, and has an account too.
    colleague: User
    # May do everything, and has no account.
    chief: Administrator
    accounts: list[Account] = field(default_factory=list)
    identifiers: set[str] = field(default_factory=set)
    # Of the provider, before it was changed.
    version: str = ""

    def keep(self, *texts: str) -> None:
        for text in texts:
            self.identifiers |= {text, text.rpartition(":")[2]}

    def add(self, username: str, *others: Identifier, number: str, **names: str) -> Account:
        user = User.objects.create_user(username, **names)
        subject = f"{REALM}{number}"
        account = Account.objects.create(
            provider=self.provider,
            user=user,
            issuer=self.provider.issuer,
            subject=subject,
            subject_name_id=number,
            professional=to_snapshot(Professional(given_name="Aurore", family_name="PONTGIVARD")),
        )
        for identifier in others:
            row_of(account, identifier).save()
        self.keep(subject, *(each.number for each in others))
        self.accounts.append(account)
        return account

    def people_in(self, text: str) -> set[str]:
        """Return the identifiers in a text."""
        folded = text.casefold()
        return {each for each in self.identifiers if each.casefold() in folded}


def build_clinic(provider: Provider) -> Clinic:
    """Return the site after mergers, links and unlinkings, all made by the colleague."""
    clinic = Clinic(provider, User.objects.create_superuser("8" + rpps(0)), Administrator(Browser()))
    clinic.chief.browser.force_login(User.objects.create_superuser("chief"), backend=MODEL_BACKEND)
    clinic.keep("8" + rpps(0), rpps(0))
    account = clinic.add("colleague", number="8" + rpps(0))
    Account.objects.filter(pk=account.pk).update(user=clinic.colleague)
    numbers = [rpps(each) for each in range(12)]
    psi = "5b0c6f2e-7a43-4f0e-9d6a-2f1f3c9e8b17"
    staff = "750000018/0123"
    former = Identifier("sub", f"{REALM}3{staff}")
    _add(clinic, "8" + numbers[1], numbers[1], former, Identifier("psi", psi, "PSI", 1))
    _add(clinic, numbers[2], numbers[2])
    _add(clinic, f"psc-8{numbers[3]}", numbers[3], last_name=numbers[3])
    other_psi = psi.replace("5b", "6c")
    clinic.add(other_psi.upper(), Identifier("psi", other_psi, "PSI", 1), number=other_psi)
    clinic.add("3750000018-9876", Identifier("finess_staff", "750000018/9876"), number="3750000018/9876")
    clinic.add("0123456782", Identifier("adeli", "123456782", "ADELI", 1), number="0123456782")
    clinic.add("ANS20261129101010-2", Identifier("edit", "ANS20261129101010", "EDIT", 2), number="x" + numbers[4])
    clinic.add("qx-77", Identifier("unknown", "QX-77"), number="8" + numbers[4])
    _add(clinic, "dr-martin", numbers[5], first_name="Hélène", last_name="Martin")
    clinic.keep("3750000018-9876", "750000018-9876", staff)
    _change_people(clinic, numbers[6:])
    clinic.version = str(Provider.objects.get().version)
    _change_provider(clinic)
    clinic.accounts = list(Account.objects.order_by("pk"))
    return clinic


def _add(clinic: Clinic, username: str, number: str, *others: Identifier, **names: str) -> Account:
    clinic.keep(number)
    return clinic.add(username, Identifier("rpps", number, "RPPS", 1), *others, number=f"8{number}", **names)


def _change_people(clinic: Clinic, numbers: list[str]) -> None:
    by, people = clinic.colleague, [_add(clinic, f"8{number}", number) for number in numbers]
    unlink(people[0], by=by)
    unlink(people[1], by=by)
    people[1].user.delete()
    # Two accounts of one person: the second has no RPPS number.
    second = clinic.add("second-3750000018-4444", Identifier("psi", "x" + numbers[2]), number="3750000018/4444")
    merging.merge(merging.plan_merger(people[2], second), by=by)
    successor = User.objects.create_user("successor")
    merging.link(merging.plan_link(people[3], successor), by=by)
    clinic.keep("3750000018-4444")
    for account in Account.objects.all():
        LogEntry.objects.log_actions(by.pk, [account], CHANGE, change_message="x", single_object=True)


def _change_provider(clinic: Clinic) -> None:
    """Change the settings, the mapping and the access rules of the provider, by the forms."""
    provider, colleague = clinic.provider, Administrator(Browser())
    colleague.browser.force_login(clinic.colleague, backend=MODEL_BACKEND)
    for page, form, changes in (
        ("change", "provider_form", {"button_text": "Entrer"}),
        ("mapping", "mapping_form", {"attributes-0-claim": "given_name || 'x'", "_save": "on"}),
        ("access-rules", "access_rules_form", {"contact": "the office", "_save": "on"}),
    ):
        url = f"/admin/psc_connect/provider/{provider.pk}/{page}/"
        response = colleague.browser.post(url, {**colleague.fields_of(url, form), **changes})
        assert response.status_code == 302, response.content.decode()


def keep_dry_run(session: Any, clinic: Clinic) -> None:
    """Store the result of a dry run of a person with an account in the session of an administrator."""
    account = clinic.accounts[1]
    claims = {"sub": account.subject, "SubjectNameID": account.subject_name_id, "given_name": "Aurore"}
    steps = tuple(run.Step(name, run.PASSED) for name in STEPS)
    result = run.DryRun(
        provider=clinic.provider.pk,
        made_at="2026-11-29T10:00:00+00:00",
        steps=steps,
        id_token_claims={"sub": account.subject, "acr": "eidas1"},
        claims=claims,
        subject=account.subject,
    )
    session[run.SESSION_KEY] = cipher_for(DRY_RUN).encrypt(json.dumps(asdict(result)).encode()).decode()
    session.save()
