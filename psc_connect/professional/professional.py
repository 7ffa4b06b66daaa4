"""A ``Professional``, the practices (*exercices*) and their activities: each field with PSC's own name beside it.

Nothing that was sent is lost: what is unknown here, or of another type than expected, lies in ``extra``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from psc_connect.professional.coded_values import Code
from psc_connect.professional.identifiers import Kind, NationalIdentifier, register_of
from psc_connect.professional.nomenclatures import tables_of

NOTHING: Mapping[str, Any] = MappingProxyType({})

FRANCE = "99000"


@dataclass(frozen=True, slots=True)
class ReadingWarning:
    """One leaf that was not as expected, and where it stood; never what it held.

    ``type_unexpected``: read as text if it was a whole number, else it lies in ``extra``. ``value_twice``: what stood
    in its former place lies in ``extra``. ``identifier_unknown``: it has the form of no kind.
    """

    code: str
    path: str


def _text(name: str) -> Any:
    # Not shown by repr(), which ends in logs: it may say who somebody is.
    return field(default="", repr=False, metadata={"psc": name, "tables": None})


def _code(name: str, kind: str = "") -> Any:
    """``kind``: whose tables have it; "" where none has."""
    return field(default=Code(), metadata={"psc": name, "tables": tables_of(kind) if kind else ()})


def _rest() -> Any:
    # A mapping has no hash: what it belongs to keeps its own, and Python 3.11 takes none as a default.
    return field(default_factory=lambda: NOTHING, repr=False, hash=False)


@dataclass(frozen=True, slots=True)
class Activity:
    """One place, or role, in which a practice is exercised (``activities``)."""

    mode: Code = _code("codeModeExercice", "mode")
    sector: Code = _code("codeSecteurDactivite", "sector")
    pharmacist_section: Code = _code("codeSectionPharmacien")
    role: Code = _code("codeRole", "role")
    kind: Code = _code("codeGenreActivite", "activity_kind")
    siret: str = _text("numeroSiretSite")
    siren: str = _text("numeroSirenSite")
    finess: str = _text("numeroFinessSite")
    finess_legal_entity: str = _text("numeroFinessetablissementJuridique")
    structure_id: str = _text("identifiantTechniqueDeLaStructure")
    former_structure_id: str = _text("ancienIdentifiantDeLaStructure")
    company_name: str = _text("raisonSocialeSite")
    trade_name: str = _text("enseigneCommercialeSite")
    address_recipient: str = _text("complementDestinataire")
    address_place: str = _text("complementPointGeographique")
    street_number: str = _text("numeroVoie")
    street_number_suffix: str = _text("indiceRepetitionVoie")
    street_kind: str = _text("codeTypeDeVoie")
    street_name: str = _text("libelleVoie")
    distribution: str = _text("mentionDistribution")
    post_office: str = _text("bureauCedex")
    postal_code: str = _text("codePostal")
    municipality: str = _text("codeCommune")
    country: str = _text("codePays")
    department_sent: str = _text("codeDepartement")
    phone: str = _text("telephone")
    other_phone: str = _text("telephone2")
    fax: str = _text("telecopie")
    email: str = _text("adresseEMail")
    registration_authority: str = _text("autoriteDenregistrement")
    source_id: str = _text("sourceId")
    extra: Mapping[str, Any] = _rest()

    @property
    def structure_name(self) -> str:
        return self.company_name or self.trade_name

    @property
    def department(self) -> str:
        """The department's number, ``75``, ``2A``, ``974``: as sent, or of the municipality or the postal code."""
        if self.department_sent:
            return self.department_sent
        # Postal codes of other countries look the same.
        postal_code = self.postal_code if self.country in ("", FRANCE) else ""
        return _department_of(self.municipality) or _department_of(postal_code)

    @property
    def place(self) -> str:
        """The town, with its postal code where that does not stand in it."""
        if self.postal_code in self.post_office:
            return self.post_office
        return f"{self.postal_code} {self.post_office}".strip()

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.structure_name, self.place)))


def _department_of(number: str) -> str:
    """The department of an INSEE number or of a French postal code, which has ``20`` for both of Corsica's."""
    if not re.match("[0-9][0-9AB][0-9]", number):
        return ""
    if number[:2] == "20":
        return "2A" if number[2] in "01" else "2B"
    # Overseas three digits name one.
    return number[:3] if number[:2] in ("97", "98") else number[:2]


@dataclass(frozen=True, slots=True)
class Practice:
    """One profession that is practised in one category (``exercices``)."""

    profession: Code = _code("codeProfession", "profession")
    category: Code = _code("codeCategorieProfessionnelle", "category")
    title: Code = _code("codeCiviliteDexercice", "title")
    family_name: str = _text("nomDexercice")
    given_name: str = _text("prenomDexercice")
    skill_kind: Code = _code("codeTypeSavoirFaire", "skill_kind")
    skill: Code = _code("codeSavoirFaire", "skill")
    activities: tuple[Activity, ...] = ()
    extra: Mapping[str, Any] = _rest()

    @property
    def speciality(self) -> Code:
        """The skill, where it is a speciality of the order (type ``S``)."""
        return self.skill if self.skill_kind.code == "S" else Code()

    def __str__(self) -> str:
        return " · ".join(str(each) for each in (self.profession, self.skill) if each)


@dataclass(frozen=True, slots=True)
class OtherIdentifier:
    """One of ``otherIds``. ``sent`` is the very text; ``quality`` 1 is the best, 0 where none was sent."""

    identifier: NationalIdentifier
    origin: str = ""
    quality: int = 0
    sent: str = field(default="", repr=False)
    extra: Mapping[str, Any] = _rest()

    @property
    def is_vouched_for(self) -> bool:
        """Whether its origin says that it is of its kind."""
        return register_of(self.origin) == self.identifier.kind.value.upper()


@dataclass(frozen=True, slots=True)
class ActivityChoice:
    """In what capacity somebody acts: a practice, in one of its activities where it has any."""

    practice: Practice
    activity: Activity | None = None

    def __str__(self) -> str:
        return " – ".join(filter(None, (str(self.practice), str(self.activity or ""))))

    @property
    def key(self) -> str:
        """A short name that is the same at the next login, as long as profession, structure, mode and role are."""
        practice, activity = self.practice, self.activity or Activity()
        numbers = (activity.structure_id, activity.finess, activity.siret, activity.siren, activity.former_structure_id)
        parts = (
            practice.profession.code,
            practice.category.code,
            practice.skill.code,
            activity.mode.code,
            activity.sector.code,
            activity.role.code,
            activity.pharmacist_section.code,
            # All by which an access rule tells one from another; by its name where nothing else does.
            activity.finess_legal_entity,
            activity.department,
            *(numbers if any(numbers) else (activity.structure_name, activity.postal_code)),
        )
        return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Professional:
    """A person as Pro Santé Connect knows them. Each text is "" where nothing was sent."""

    subject: str = _text("sub")
    national_identifier_sent: str = _text("SubjectNameID")
    preferred_username: str = _text("preferred_username")
    given_name: str = _text("given_name")
    family_name: str = _text("family_name")
    email: str = _text("email")
    civility: Code = _code("codeCivilite", "civility")
    activity_kind: Code = _code("codeGenreActivite", "activity_kind")
    sector: Code = _code("Secteur_Activite", "sector")
    organization: str = _text("SubjectOrganization")
    organization_id: str = _text("SubjectOrganizationID")
    access_reason: str = _text("Mode_Acces_Raison")
    medical_regulation: str = _text("Acces_Regulation_Medicale")
    format_version: str = _text("UITVersion")
    authentication_level: Code = _code("Palier_Authentification")
    psi_locale: str = _text("PSI_Locale")
    means: str = _text("authMode")
    roles: tuple[Code, ...] = ()
    identifiers: tuple[OtherIdentifier, ...] = ()
    practices: tuple[Practice, ...] = ()
    email_verified: bool | None = None
    extra: Mapping[str, Any] = _rest()
    warnings: tuple[ReadingWarning, ...] = ()

    @property
    def national_identifier(self) -> NationalIdentifier:
        return NationalIdentifier.read(self.national_identifier_sent)

    @property
    def vouched_identifiers(self) -> tuple[NationalIdentifier, ...]:
        """Those whose origin says that they are of their kind, the main one first, then the best.

        What only looks like an RPPS number proves nothing.
        """
        vouched = (each.identifier for each in self._by_quality() if each.is_vouched_for)
        return tuple(dict.fromkeys(each for each in (self.national_identifier, *vouched) if each))

    @property
    def national_identifiers(self) -> tuple[NationalIdentifier, ...]:
        """Every identifier that was sent, once: the main one first, then those of ``otherIds``, the best first."""
        found = (self.national_identifier, *(each.identifier for each in self._by_quality()))
        return tuple(dict.fromkeys(each for each in found if each))

    @property
    def rpps(self) -> str:
        """The RPPS number of 11 digits that is vouched for, or ""."""
        return next((each.number for each in self.vouched_identifiers if each.kind is Kind.RPPS), "")

    @property
    def employment(self) -> Activity:
        """What is known of the structure of somebody without activity: the staff of one, students, agents.

        Their identifiers are made of the structure's: ``FINESS/number``, ``SIRET/number``. What only looks like one
        proves nothing.
        """
        employers = {each.kind: each.number.partition("/")[0] for each in reversed(self.vouched_identifiers)}
        return Activity(
            sector=self.sector,
            kind=self.activity_kind,
            company_name=self.organization,
            structure_id=self.organization_id,
            finess=employers.get(Kind.FINESS_STAFF, ""),
            siret=employers.get(Kind.SIRET_STAFF, ""),
        )

    def _by_quality(self) -> list[OtherIdentifier]:
        return sorted(self.identifiers, key=lambda each: each.quality or 99)

    @property
    def activity_choices(self) -> tuple[ActivityChoice, ...]:
        """Every capacity once, in the order sent: what is sent twice is one."""
        found: dict[str, ActivityChoice] = {}
        for practice in self.practices:
            for activity in practice.activities or (None,):
                activity_choice = ActivityChoice(practice, activity)
                found.setdefault(activity_choice.key, activity_choice)
        return tuple(found.values())

    def activity_choice_of(self, key: str) -> ActivityChoice | None:
        """Return the capacity of that key, or None where the person has it no longer."""
        return next((each for each in self.activity_choices if each.key == key), None) if key else None


def unknown_codes(professional: Professional) -> Iterator[tuple[str, str]]:
    """Yield ``(table, code)`` of every code that its tables do not have: they are read for it, so not at a login."""
    for code in _codes_in(professional):
        if code and code.tables and code.concept is None:
            yield code.tables[0], code.code


def _codes_in(value: Any) -> Iterator[Code]:
    if isinstance(value, Code):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _codes_in(each)
    elif isinstance(value, (Professional, Practice, Activity)):
        for each in fields(value):
            yield from _codes_in(getattr(value, each.name))
