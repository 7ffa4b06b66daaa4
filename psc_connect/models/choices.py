"""The values between which an administrator chooses in a provider's settings."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Environment(models.TextChoices):
    PRODUCTION = "production", _("Production")
    SANDBOX = "sandbox", _("Sandbox (BAS)")
    SIMULATOR = "simulator", _("Simulator (on this machine)")
    CUSTOM = "custom", pgettext_lazy("environment", "Custom")


class TokenEndpointAuthMethod(models.TextChoices):
    CLIENT_SECRET_POST = "client_secret_post", "client_secret_post"
    CLIENT_SECRET_BASIC = "client_secret_basic", "client_secret_basic"


class Prompt(models.TextChoices):
    """The values of ``prompt`` that suit an interactive login (OpenID Connect Core 3.1.2.1)."""

    LOGIN = "login", _("login: identify again each time")
    CONSENT = "consent", _("consent: ask for consent")
    SELECT_ACCOUNT = "select_account", _("select_account: choose an account")


class Display(models.TextChoices):
    """How the provider shows its pages (OpenID Connect Core 3.1.2.1)."""

    PAGE = "page", _("page: a whole page")
    POPUP = "popup", _("popup: a small window")
    TOUCH = "touch", _("touch: for fingers")
    WAP = "wap", _("wap: an old telephone")


class AskActivity(models.TextChoices):
    """When a page asks people which activity they are signing in for."""

    SEVERAL = "several", _("if there are several; again when the chosen one has ended")
    ALWAYS = "always", _("at each sign-in")
    NEVER = "never", _("never")


class RequireIssuer(models.TextChoices):
    ANNOUNCED = "announced", _("when the provider announces it")
    NEVER = "never", _("never (it is checked if present)")
