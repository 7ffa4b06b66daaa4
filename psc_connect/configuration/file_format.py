"""The file that ``psc_export`` writes and ``psc_configure`` reads."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from psc_connect.administrator_messages import explain
from psc_connect.configuration.problems import ConfigurationError, Problem
from psc_connect.oidc.unexpected_content import classify_content
from psc_connect.providers.serialization import FORMAT


def declarations_of(configuration: object) -> list[dict[str, Any]]:
    """Return the declarations of a configuration in the format of ``psc_export``. Raises ConfigurationError."""
    if not isinstance(configuration, dict) or configuration.get("psc_connect") != FORMAT:
        text = explain_content(configuration) or _(
            'This is not a configuration of this package: it begins with {"psc_connect": %(format)s, "providers": […]}.'
        )
        raise ConfigurationError(Problem("", text % {"format": FORMAT}))
    declarations = configuration.get("providers")
    if not isinstance(declarations, list) or not all(isinstance(declaration, dict) for declaration in declarations):
        raise ConfigurationError(Problem("providers", _("A list of declarations is expected here.")))
    return declarations


def explain_content(content: object) -> str:
    """Return a message that names what was given instead of a configuration; "" if it is not recognised."""
    messages = {
        "looks_like_html": _("This is an HTML page, not a configuration in JSON: download the file itself."),
        "looks_like_certificate": _("This is a certificate or a key in PEM, not a configuration in JSON."),
        "looks_like_private_key": explain("metadata_looks_like_private_key"),
        "looks_like_url": _("This is a URL, not a configuration in JSON: give the content found there."),
    }
    return messages.get(classify_content(content), "")
