"""Who can sign in: the five published test payloads, and invented people for what those do not show."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from psc_connect.simulator.invented import INVENTED
from psc_connect.simulator.userinfo_claims import activity, exercice, identifier, numbered, userinfo


@dataclass(frozen=True, slots=True)
class Person:
    """One professional: the userinfo answer word for word, and how he or she proves who they are."""

    slug: str
    userinfo: Mapping[str, Any] = field(repr=False)
    label_fr: str = ""
    label_en: str = ""
    auth_mode: str = "MOBILE"  # "CARD" (CPS card) or "MOBILE" (e-CPS application)
    acr: str = "eidas1"
    group: str = ""  # under which heading of the page of choice; one of `pages.texts.GROUPS`

    @classmethod
    def of(
        cls, userinfo: Mapping[str, Any], *, slug: str = "", label_fr: str = "", label_en: str = "", group: str = ""
    ) -> Person:
        """Somebody who proves who they are as the claims say: `authMode` CARD is a card, and eidas3."""
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
        """The userinfo claims, as a copy that a fault may change; no part of it is another part too."""
        claims: dict[str, Any] = json.loads(json.dumps(dict(self.userinfo)))
        return claims

    def changed(self, *, slug: str = "", without: Iterable[str] = (), **claims: Any) -> Person:
        """The same person with other claims, or without some; under the same slug unless one is given."""
        kept = {name: value for name, value in self.userinfo.items() if name not in set(without)}
        return replace(self, slug=slug or self.slug, userinfo=MappingProxyType({**kept, **claims}))


def person_with_activities(count: int) -> Person:
    """A doctor with one exercice of `count` activities, each in a structure of its own. Raises ValueError below 0."""
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
    exercices = [exercice("10", numbered(first, count), codeTypeSavoirFaire="S", codeSavoirFaire="SM54")]
    claims = userinfo(number, "Yannig", "MILLEPLACES", others=[identifier(number, "RPPS")], exercices=exercices)
    labels = {"label_fr": f"Médecin, {count} activités", "label_en": f"Doctor, {count} activities"}
    return Person.of(MappingProxyType(claims), slug=f"doctor-{count}-activities", **labels)


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
