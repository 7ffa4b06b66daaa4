# ruff: noqa: E501  (a sentence stays on one line)
"""The texts of the form that creates a person, in French and in English."""

from __future__ import annotations

LEGENDS: dict[str, dict[str, str]] = {
    "fr": {
        "identity": "Identité",
        "practice": "Exercice",
        "activities": "Activités et structure",
        "authentication": "Authentification",
    },
    "en": {
        "identity": "Identity",
        "practice": "Practice (exercice)",
        "activities": "Activities and structure",
        "authentication": "Authentication",
    },
}

# The label and the hint of each field.
FIELDS: dict[str, dict[str, tuple[str, str]]] = {
    "fr": {
        "given_name": ("Prénom", ""),
        "family_name": ("Nom", ""),
        "rpps": (
            "Numéro RPPS",
            "11 chiffres, par exemple 99700901202. Sans lui, la personne a une identité de test (EDIT).",
        ),
        "profession": ("Profession", "Son code, par exemple 10 ou 60. Vide\u00a0: aucune donnée professionnelle."),
        "category": ("Catégorie professionnelle", ""),
        "skill_kind": ("Type de savoir-faire", ""),
        "skill": ("Savoir-faire", "Son code, par exemple SM54."),
        "activities": (
            "Nombre d’activités",
            "De 0 à 50. À partir de la deuxième, la structure a un nom et un numéro à elle.",
        ),
        "mode": ("Mode d’exercice", ""),
        "sector": ("Secteur d’activité", "Son code, par exemple SA07."),
        "role": ("Fonction", "Son code, par exemple FON-01."),
        "structure": ("Nom de la structure", ""),
        "finess": ("Numéro FINESS", "9 caractères, par exemple 0B0999901."),
        "siret": ("Numéro SIRET", "14 chiffres."),
        "postal_code": ("Code postal", "Le service en déduit le département."),
        "town": ("Ville", ""),
        "means": ("Moyen", ""),
        "acr": ("Niveau de garantie (acr)", ""),
    },
    "en": {
        "given_name": ("Given name", ""),
        "family_name": ("Family name", ""),
        "rpps": (
            "RPPS number",
            "11 digits, for example 99700901202. Without one, the person has a test identity (EDIT).",
        ),
        "profession": ("Profession", "Its code, for example 10 or 60. Empty: no professional data."),
        "category": ("Professional category", ""),
        "skill_kind": ("Kind of skill (savoir-faire)", ""),
        "skill": ("Skill (savoir-faire)", "Its code, for example SM54."),
        "activities": (
            "Number of activities",
            "From 0 to 50. Each activity after the first is in a different structure.",
        ),
        "mode": ("Mode of practice", ""),
        "sector": ("Sector of activity", "Its code, for example SA07."),
        "role": ("Role", "Its code, for example FON-01."),
        "structure": ("Name of the structure", ""),
        "finess": ("FINESS number", "9 characters, for example 0B0999901."),
        "siret": ("SIRET number", "14 digits."),
        "postal_code": ("Postal code", "The service derives the department from it."),
        "town": ("Town", ""),
        "means": ("Authentication means", ""),
        "acr": ("Level of assurance (acr)", ""),
    },
}

# Choices that are not codes of ANS's tables; the labels of those are only in French.
CHOICES: dict[str, dict[str, str]] = {
    "fr": {"MOBILE": "e-CPS", "CARD": "Carte CPS"},
    "en": {"MOBILE": "e-CPS", "CARD": "CPS card"},
}

# Sentences that the details of a `Problem` fill in.
PROBLEMS: dict[str, dict[str, str]] = {
    "fr": {
        "required": "À remplir.",
        "too_long": "$limit caractères au plus.",
        "unknown_choice": "Choisissez dans la liste.",
        "code_malformed": "Indiquez le code, en majuscules et en chiffres\u00a0: 10, SM54, FON-01.",
        "rpps_malformed": "Un numéro RPPS a 11 chiffres (ou 12, s’il commence par le 8 de l’identifiant national).",
        "rpps_key": "Ce n’est pas un numéro RPPS\u00a0: son dernier chiffre, la clé de contrôle, devrait être $key.",
        "activities_malformed": "Indiquez un nombre entier de 0 à 50.",
        "finess_malformed": "Un numéro FINESS a 9 caractères\u00a0: des chiffres, sauf A ou B en deuxième place.",
        "siret_malformed": "Un numéro SIRET a 14 chiffres.",
        "postal_code_malformed": "Un code postal a 5 chiffres.",
        "skill_and_kind": "Le type et le code du savoir-faire vont ensemble\u00a0: indiquez les deux, ou aucun.",
        "profession_missing": "Des activités supposent une profession\u00a0: indiquez-la, ou mettez 0 activité.",
        "json_empty": "Collez d’abord la réponse.",
        "json_too_long": "Ce texte est trop long\u00a0: 200\u00a0000 caractères au plus.",
        "json_malformed": "Ce texte n’est pas du JSON\u00a0: erreur à la ligne $line, colonne $column, près de «\u00a0$near\u00a0».",
        "json_too_deep": "Trop d’objets ou de listes les uns dans les autres\u00a0: $levels niveaux au plus.",
        "json_unsendable": "Un nombre ou un caractère de ce JSON ne peut pas être envoyé\u00a0: NaN, un nombre infini ou démesuré, la moitié d’un caractère (\\ud800).",
        "json_no_object": "La réponse doit être un objet JSON, entre accolades { }.",
        "json_incomplete": "Il manque\u00a0: $names.",
        "json_sub": "Le champ sub doit être un texte, et n’être pas vide.",
    },
    "en": {
        "required": "This field is required.",
        "too_long": "$limit characters at most.",
        "unknown_choice": "Choose from the list.",
        "code_malformed": "Enter the code, in capitals and digits: 10, SM54, FON-01.",
        "rpps_malformed": "An RPPS number has 11 digits (or 12, starting with the 8 of the national identifier).",
        "rpps_key": "This is not an RPPS number: its last digit, the check digit, should be $key.",
        "activities_malformed": "Enter a whole number from 0 to 50.",
        "finess_malformed": "A FINESS number has 9 characters: digits, except for A or B as the second character.",
        "siret_malformed": "A SIRET number has 14 digits.",
        "postal_code_malformed": "A postal code has 5 digits.",
        "skill_and_kind": "Kind and code of the skill go together: enter both or neither.",
        "profession_missing": "Activities need a profession: enter one, or 0 activities.",
        "json_empty": "Paste the response first.",
        "json_too_long": "This text is too long: 200,000 characters at most.",
        "json_malformed": "This text is not JSON: error at line $line, column $column, near “$near”.",
        "json_too_deep": "Objects or lists are nested too deeply: $levels levels at most.",
        "json_unsendable": "A number or a character of this JSON cannot be sent: NaN, an infinite or too large number, half a character (\\ud800).",
        "json_no_object": "The response must be a JSON object, in braces { }.",
        "json_incomplete": "Missing: $names.",
        "json_sub": "The field sub must be a text that is not empty.",
    },
}
