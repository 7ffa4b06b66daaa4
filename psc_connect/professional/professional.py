"""``Professional`` with practices (*exercices*) and activities. Each field is declared with its PSC name.

Unknown members, and values of an unexpected type, are kept in ``extra``.
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

__all__ = ["Activity", "ActivityChoice", "OtherIdentifier", "Practice", "Professional", "ReadingWarning"]

NOTHING: Mapping[str, Any] = MappingProxyType({})

FRANCE = "99000"


@dataclass(frozen=True, slots=True)
class ReadingWarning:
    """An unexpected value: a code and the path of the value, never the value itself.

    ``type_unexpected``: another type; a whole number is read as text, other values are kept in ``extra``.
    ``value_twice``: sent at its current and its former path; the latter is kept in ``extra``.
    ``identifier_unknown``: an identifier with the format of no kind.
    """

    code: str
    path: str


def _text(name: str) -> Any:
    # Not in repr(), which may be logged: it may identify the person.
    return field(default="", repr=False, metadata={"psc": name, "tables": None})


def _code(name: str, kind: str = "") -> Any:
    """``kind`` is the subject of the code in the nomenclatures, "" if no table has its codes."""
    return field(default=Code(), metadata={"psc": name, "tables": tables_of(kind) if kind else ()})


def _rest() -> Any:
    # Excluded from the hash, because a mapping has none. A factory, because Python 3.11 refuses an unhashable default.
    return field(default_factory=lambda: NOTHING, repr=False, hash=False)


@dataclass(frozen=True, slots=True)
class Activity:
    """A place or role in which the professional practises (``activities``)."""

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
        """The number of the department (``75``, ``2A``, ``974``): as sent, or from municipality or postal code."""
        if self.department_sent:
            return self.department_sent
        # Foreign postal codes have the same format.
        postal_code = self.postal_code if self.country in ("", FRANCE) else ""
        return _department_of(self.municipality) or _department_of(postal_code)

    @property
    def place(self) -> str:
        """The town with its postal code."""
        if self.postal_code in self.post_office:
            return self.post_office
        return f"{self.postal_code} {self.post_office}".strip()

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.structure_name, self.place)))


def _department_of(number: str) -> str:
    """Return the department of an INSEE or postal code, or "". Corsican postal codes begin with 20."""
    if not re.match("[0-9][0-9AB][0-9]", number):
        return ""
    if number[:2] == "20":
        return "2A" if number[2] in "01" else "2B"
    # Overseas departments have three digits.
    return number[:3] if number[:2] in ("97", "98") else number[:2]


@dataclass(frozen=True, slots=True)
class Practice:
    """A profession practised in a category (``exercices``)."""

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
        """The skill if it is a speciality of the professional order (type ``S``), else an empty code."""
        return self.skill if self.skill_kind.code == "S" else Code()

    def __str__(self) -> str:
        return " · ".join(str(each) for each in (self.profession, self.skill) if each)


@dataclass(frozen=True, slots=True)
class OtherIdentifier:
    """An entry of ``otherIds``. ``sent`` is the original text. ``quality`` 1 is the best, 0 if none was sent."""

    identifier: NationalIdentifier
    origin: str = ""
    quality: int = 0
    sent: str = field(default="", repr=False)
    extra: Mapping[str, Any] = _rest()

    @property
    def is_vouched_for(self) -> bool:
        """Whether its origin names the register of its kind."""
        return register_of(self.origin) == self.identifier.kind.value.upper()


@dataclass(frozen=True, slots=True)
class ActivityChoice:
    """What a professional signs in as: a practice, with one of its activities if it has any."""

    practice: Practice
    activity: Activity | None = None

    def __str__(self) -> str:
        return " – ".join(filter(None, (str(self.practice), str(self.activity or ""))))

    @property
    def key(self) -> str:
        """An identifier that stays the same between logins, as long as profession, structure, mode and role do."""
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
            # Everything that access rules can distinguish; name and postal code only if the structure has no number.
            activity.finess_legal_entity,
            activity.department,
            *(numbers if any(numbers) else (activity.structure_name, activity.postal_code)),
        )
        return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Professional:
    """A professional as described by Pro Santé Connect. A text that was not sent is ""."""

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
        """The main identifier (``SubjectNameID``)."""
        return NationalIdentifier.read(self.national_identifier_sent)

    @property
    def vouched_identifiers(self) -> tuple[NationalIdentifier, ...]:
        """The main identifier and those whose origin names their register, best quality first.

        The format of a number alone does not prove its kind.
        """
        vouched = (other.identifier for other in self._by_quality() if other.is_vouched_for)
        return tuple(dict.fromkeys(filter(None, (self.national_identifier, *vouched))))

    @property
    def national_identifiers(self) -> tuple[NationalIdentifier, ...]:
        """All identifiers without duplicates: the main one, then those of ``otherIds``, best quality first."""
        others = (other.identifier for other in self._by_quality())
        return tuple(dict.fromkeys(filter(None, (self.national_identifier, *others))))

    @property
    def rpps(self) -> str:
        """The 11-digit RPPS number among the vouched identifiers, or ""."""
        identifiers = self.vouched_identifiers
        return next((identifier.number for identifier in identifiers if identifier.kind is Kind.RPPS), "")

    @property
    def employment(self) -> Activity:
        """The structure of a professional without activity (staff, students, agents), as an Activity.

        FINESS and SIRET come from vouched identifiers such as ``FINESS/number``.
        """
        identifiers = reversed(self.vouched_identifiers)
        employers = {identifier.kind: identifier.number.partition("/")[0] for identifier in identifiers}
        return Activity(
            sector=self.sector,
            kind=self.activity_kind,
            company_name=self.organization,
            structure_id=self.organization_id,
            finess=employers.get(Kind.FINESS_STAFF, ""),
            siret=employers.get(Kind.SIRET_STAFF, ""),
        )

    def _by_quality(self) -> list[OtherIdentifier]:
        return sorted(self.identifiers, key=lambda other: other.quality or 99)

    @property
    def activity_choices(self) -> tuple[ActivityChoice, ...]:
        """All activity choices in the order sent, without duplicates."""
        choices: dict[str, ActivityChoice] = {}
        for practice in self.practices:
            for activity in practice.activities or (None,):
                activity_choice = ActivityChoice(practice, activity)
                choices.setdefault(activity_choice.key, activity_choice)
        return tuple(choices.values())

    def activity_choice_of(self, key: str) -> ActivityChoice | None:
        """Return the activity choice with this key, or None if there is none (any more)."""
        return next((choice for choice in self.activity_choices if choice.key == key), None) if key else None


def unknown_codes(professional: Professional) -> Iterator[tuple[str, str]]:
    """Yield ``(table, code)`` of every code that is in none of its tables. Loads the tables: not for use in a login."""
    for code in _codes_in(professional):
        if code and code.tables and code.concept is None:
            yield code.tables[0], code.code


def _codes_in(value: Any) -> Iterator[Code]:
    if isinstance(value, Code):
        yield value
    elif isinstance(value, tuple):
        for member in value:
            yield from _codes_in(member)
    elif isinstance(value, (Professional, Practice, Activity)):
        for declared in fields(value):
            yield from _codes_in(getattr(value, declared.name))
