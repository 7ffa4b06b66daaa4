"""The people who can sign in: five published test payloads, and invented people for other cases."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from psc_connect.simulator.invented_people import INVENTED
from psc_connect.simulator.userinfo_builder import activity, exercice, identifier, repeated_activity, userinfo

__all__ = ["Person", "person_with_activities"]


@dataclass(frozen=True, slots=True)
class Person:
    """A professional: the userinfo response word for word, and how the person authenticates."""

    slug: str
    userinfo: Mapping[str, Any] = field(repr=False)
    label_fr: str = ""
    label_en: str = ""
    auth_mode: str = "MOBILE"  # "CARD" (CPS card) or "MOBILE" (e-CPS application)
    acr: str = "eidas1"
    group: str = ""  # the heading on the page that lists people; one of `pages.texts.GROUPS`

    @classmethod
    def of(
        cls, userinfo: Mapping[str, Any], *, slug: str = "", label_fr: str = "", label_en: str = "", group: str = ""
    ) -> Person:
        """Return a person who authenticates as `authMode` says: CARD is a CPS card, with eidas3."""
        auth_mode, acr = ("CARD", "eidas3") if userinfo.get("authMode") == "CARD" else ("MOBILE", "eidas1")
        return cls(slug, userinfo, label_fr, label_en, auth_mode, acr, group)

    @property
    def subject(self) -> str:
        return str(self.userinfo["sub"])

    @property
    def name(self) -> str:
        return f"{self.userinfo.get('given_name', '')} {self.userinfo.get('family_name', '')}".strip()

    @property
    def national_identifier(self) -> str:
        return str(self.userinfo.get("SubjectNameID", ""))

    def claims(self) -> dict[str, Any]:
        """Return a deep copy of the userinfo claims, which a fault may change."""
        claims: dict[str, Any] = json.loads(json.dumps(dict(self.userinfo)))
        return claims

    def changed(self, *, slug: str = "", without: Collection[str] = (), **claims: Any) -> Person:
        """Return the person with other claims, or without some; with the same slug unless one is given."""
        kept = {name: value for name, value in self.userinfo.items() if name not in without}
        return replace(self, slug=slug or self.slug, userinfo=MappingProxyType({**kept, **claims}))


def person_with_activities(count: int) -> Person:
    """Return a doctor with one practice (exercice) of `count` activities, each in a different structure.

    Raises ValueError for a negative count.
    """
    if count < 0:
        raise ValueError("count must not be negative")
    number = "899700901111"
    first = activity(
        "L",
        "SA07",
        identifiantTechniqueDeLaStructure="R9800001",
        raisonSocialeSite="CABINET DES ESSAIS",
        bureauCedex="29000 QUIMPER",
        codePostal="29000",
    )
    exercices = [exercice("10", repeated_activity(first, count), codeTypeSavoirFaire="S", codeSavoirFaire="SM54")]
    claims = userinfo(number, "Yannig", "MILLEPLACES", others=[identifier(number, "RPPS")], exercices=exercices)
    labels = {"label_fr": f"Médecin, {count} activités", "label_en": f"Doctor, {count} activities"}
    return Person.of(MappingProxyType(claims), slug=f"doctor-{count}-activities", **labels)


def practice_labels(claims: Mapping[str, Any]) -> tuple[str, str]:
    """Return a label of what a person practises, in French and in English, from claims of any shape."""
    register = claims.get("SubjectRefPro")
    listed = register.get("exercices") if isinstance(register, dict) else None
    exercices = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    if not exercices:
        return "Sans donnée professionnelle", "Without professional data"
    codes = ", ".join(str(item.get("codeProfession", "")) for item in exercices)
    count = sum(len(item["activities"]) for item in exercices if isinstance(item.get("activities"), list))
    french = "activité" if count < 2 else "activités"
    english = "activity" if count == 1 else "activities"
    return f"Profession {codes}, {count} {french}", f"Profession {codes}, {count} {english}"


def _published(slug: str, label_fr: str, label_en: str) -> Person:
    text = (files(__package__) / "payloads" / f"{slug}.json").read_text(encoding="utf-8")
    userinfo: dict[str, Any] = json.loads(text)
    claims = MappingProxyType(userinfo)
    return Person.of(claims, slug=slug, label_fr=label_fr, label_en=label_en, group="published")


def _invented(group: str, slug: str, label_fr: str, label_en: str) -> Person:
    claims = MappingProxyType(INVENTED[slug])
    return Person.of(claims, slug=slug, label_fr=label_fr, label_en=label_en, group=group)


PEOPLE: tuple[Person, ...] = (
    _published("doctor-two-activities", "Médecin, deux activités", "Doctor, two activities"),
    _published("doctor-two-exercices", "Médecin, deux exercices", "Doctor, two practices"),
    _published("doctor-five-activities", "Médecin, cinq activités, identité EDIT", "Doctor, five activities, EDIT"),
    _published("podiatrist", "Pédicure-podologue", "Podiatrist"),
    _published("no-professional-data", "Sans donnée professionnelle", "Without professional data"),
    _invented("one", "pharmacist", "Pharmacienne titulaire d’officine, section A", "Pharmacist, owner, section A"),
    _invented("one", "nurse", "Infirmière à l’hôpital", "Hospital nurse"),
    _invented("one", "student-doctor", "Étudiante en médecine", "Medical student"),
    _invented("one", "military-doctor", "Médecin militaire", "Military doctor"),
    _invented("one", "doctor-no-skill", "Médecin sans savoir-faire", "Doctor without any skill (savoir-faire)"),
    _invented("several", "two-professions", "Kinésithérapeute et ostéopathe", "Physiotherapist and osteopath"),
    _invented("several", "doctor-fourteen-activities", "Médecin, quatorze activités", "Doctor, fourteen activities"),
    _invented("identifiers", "physiotherapist-psi", "Kinésithérapeute, RPPS et PSI", "Physiotherapist, RPPS and PSI"),
    _invented("identifiers", "structure-secretary", "Secrétaire d’une structure, sans RPPS", "Secretary, no RPPS"),
    _invented("pairs", "sub-changed-before", "Avant\u00a0: connue par son RPPS", "Before: known by her RPPS"),
    _invented(
        "pairs",
        "sub-changed-after",
        "Après\u00a0: connue par son identifiant PSI",
        "After: known by her PSI identifier",
    ),
    _invented("pairs", "activity-lost-before", "Avant\u00a0: trois activités", "Before: three activities"),
    _invented(
        "pairs", "activity-lost-after", "Après\u00a0: l’hôpital n’y est plus", "After: no longer at the hospital"
    ),
)
