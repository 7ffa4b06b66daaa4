"""The codes that the form to create a person suggests, with ANS's French labels. Testers may type other codes."""

from __future__ import annotations

Codes = tuple[tuple[str, str], ...]

CATEGORIES: Codes = (
    ("C", "Civil"),
    ("E", "Etudiant"),
    ("F", "Fonctionnaire d'Etat ou de collectivité locale"),
    ("M", "Militaire"),
)
MODES: Codes = (
    ("L", "Libéral, indépendant, artisan, commerçant"),
    ("S", "Salarié"),
    ("B", "Bénévole"),
)
SKILL_KINDS: Codes = (
    ("S", "Spécialité ordinale"),
    ("C", "Compétence"),
    ("CAPA", "Capacité"),
    ("CEX", "Compétence exclusive"),
    ("DEC", "Droit d'exercice complémentaire"),
    ("DNQ", "DESC non qualifiant"),
    ("FQ", "Fonction qualifiée"),
    ("OP", "Orientation particulière"),
    ("PAC", "Qualification PAC"),
    ("SH", "Spécialité de concours hospitalier"),
)
PROFESSIONS: Codes = (
    ("10", "Médecin"),
    ("21", "Pharmacien"),
    ("31", "Assistant dentaire"),
    ("35", "Aide-soignant"),
    ("39", "Préparateur en pharmacie"),
    ("40", "Chirurgien-Dentiste"),
    ("50", "Sage-Femme"),
    ("60", "Infirmier"),
    ("70", "Masseur-Kinésithérapeute"),
    ("71", "Ostéopathe"),
    ("80", "Pédicure-Podologue"),
    ("86", "Technicien de labo médical"),
    ("91", "Orthophoniste"),
    ("92", "Orthoptiste"),
    ("94", "Ergothérapeute"),
    ("95", "Diététicien"),
    ("96", "Psychomotricien"),
    ("98", "Manipulateur ERM"),
    ("41", "Assistant de service social"),
    ("51", "Educateur spécialisé"),
)
SKILLS: Codes = (
    ("SM54", "Médecine générale (SM)"),
    ("SM26", "Qualifié en Médecine générale (SM)"),
    ("SM02", "Anesthésie-réanimation (SM)"),
    ("SM04", "Cardiologie et Maladies vasculaires (SM)"),
    ("SM18", "Gériatrie (SM)"),
    ("SM25", "Médecine du travail (SM)"),
    ("SM40", "Pédiatrie (SM)"),
    ("SM42", "Psychiatrie (SM)"),
    ("SM59", "Médecine d'urgence (SM)"),
    ("SCD01", "Orthopédie dento-faciale (SCD)"),
    ("SI01", "Exercice infirmier en pratique avancée pathologies chroniques stabilisées (SI)"),
)
SECTORS: Codes = (
    ("SA01", "Etablissement public de santé"),
    ("SA02", "Hôpital militaire du Service de santé des armées"),
    ("SA04", "Etablissement privé non PSPH"),
    ("SA05", "Centre de santé"),
    ("SA07", "Cabinet individuel"),
    ("SA08", "Cabinet de groupe"),
    ("SA09", "Exercice en société"),
    ("SA15", "PMI et Planification familiale"),
    ("SA17", "Etablissement pour personnes âgées"),
    ("SA25", "Laboratoire de biologie médicale"),
    ("SA33", "Pharmacie d'officine"),
    ("SA52", "Maison de santé ou Pôle de santé"),
    ("SA63", "Communauté Professionnelle Territoriale de Santé"),
)
ROLES: Codes = (
    ("FON-01", "Titulaire de cabinet"),
    ("FON-02", "Associé dans une société d'exercice (SEL ou SCP)"),
    ("FON-03", "Titulaire d'officine"),
    ("FON-05", "Adjoint"),
    ("FON-17", "Collaborateur"),
    ("FON-22", "Remplaçant, intérimaire, intermittent"),
    ("FON-33", "Salarié en poste fixe"),
    ("FON-37", "Gérant de PUI"),
    ("FON-41", "Biologiste médical"),
    ("FON-43", "Cadre de santé"),
    ("FON-48", "Interne"),
    ("FON-57", "Docteur junior"),
)
