# ruff: noqa: E501  (a sentence stays on one line)
"""Every sentence of the pages, in French and in English."""

from __future__ import annotations

TEXTS: dict[str, dict[str, str]] = {
    "fr": {
        "label": "Simulateur – aucune vraie authentification",
        "warning": "Cette page joue Pro Santé Connect pour un essai. Les personnes proposées sont fictives.",
        "choose_title": "Qui êtes-vous\u00a0?",
        "choose_text": "Choisissez la personne qui se connecte au service",
        "cancel": "Annuler la connexion",
        "card": "Carte CPS",
        "mobile": "e-CPS",
        "identifier_label": "Identifiant national",
        "confirm_title": "Se déconnecter de Pro Santé Connect\u00a0?",
        "confirm_text": "Le service n’a pas prouvé que cette demande vient de vous. Confirmez votre déconnexion.",
        "confirm_button": "Se déconnecter",
        "signed_out_title": "Votre session Pro Santé Connect est fermée",
        "signed_out_text": "Vous pouvez fermer cette page.",
        "home_title": "Le simulateur fonctionne",
        "home_text": "Il attend qu’un service lui envoie un professionnel de santé. Adresse à déclarer\u00a0:",
        "error_title": "Cette demande est refusée",
        "error_hint": "Revenez au service et recommencez. Si cela se reproduit, corrigez la déclaration du service.",
        "error_code": "Motif\u00a0:",
    },
    "en": {
        "label": "Simulator – no real authentication",
        "warning": "This page plays Pro Santé Connect for a test. The people offered are fictitious.",
        "choose_title": "Who are you?",
        "choose_text": "Choose the person who signs in to the service",
        "cancel": "Cancel the sign-in",
        "card": "CPS card",
        "mobile": "e-CPS",
        "identifier_label": "National identifier",
        "confirm_title": "Sign out of Pro Santé Connect?",
        "confirm_text": "The service did not prove that this request comes from you. Confirm that you sign out.",
        "confirm_button": "Sign out",
        "signed_out_title": "You are signed out of Pro Santé Connect",
        "signed_out_text": "You may close this page.",
        "home_title": "The simulator is running",
        "home_text": "It waits for a service to send it a health professional. Address to declare:",
        "error_title": "This request is refused",
        "error_hint": "Go back to the service and start again. If it happens again, correct how the service is declared.",
        "error_code": "Reason:",
    },
}

ERRORS: dict[str, dict[str, str]] = {
    "fr": {
        "unknown_client": "Le client_id n’est pas déclaré auprès du simulateur.",
        "unknown_redirect_uri": "Le redirect_uri n’est pas, au caractère près, une adresse déclarée pour ce client.",
        "unknown_post_logout_redirect_uri": "L’adresse de retour après déconnexion n’est pas déclarée pour ce client.",
        "wrong_hint": "Le id_token_hint n’est pas un jeton d’identité émis par ce simulateur pour ce client.",
        "unknown_interaction": "Cette page a déjà servi, ou le simulateur a redémarré depuis.",
        "unknown_person": "Cette personne n’est pas connue du simulateur.",
        "unknown_path": "Cette adresse n’existe pas.",
        "wrong_method": "Cette adresse ne répond pas à cette méthode HTTP.",
    },
    "en": {
        "unknown_client": "The client_id is not declared to the simulator.",
        "unknown_redirect_uri": "The redirect_uri is not, character by character, an address declared for this client.",
        "unknown_post_logout_redirect_uri": "The address to return to after sign-out is not declared for this client.",
        "wrong_hint": "The id_token_hint is not an ID token that this simulator issued to this client.",
        "unknown_interaction": "This page was used already, or the simulator has restarted since.",
        "unknown_person": "The simulator does not know this person.",
        "unknown_path": "This address does not exist.",
        "wrong_method": "This address does not answer this HTTP method.",
    },
}
