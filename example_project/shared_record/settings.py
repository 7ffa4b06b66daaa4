"""Settings of a minimal site with Pro Santé Connect. For demonstration only."""

from __future__ import annotations

import os
from pathlib import Path

from django.utils.translation import gettext_lazy as _

PROJECT = Path(__file__).parent.parent
# Kept from one start to the next.
DEMO_FOLDER = Path(os.environ.get("PSC_DEMO_FOLDER", PROJECT / ".demo"))
DEMO_FOLDER.mkdir(parents=True, exist_ok=True)

# A real site has a secret key and DEBUG off.
SECRET_KEY = "django-insecure-only-for-the-demonstration-on-this-machine"
DEBUG = True
ROOT_URLCONF = "shared_record.urls"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "psc_connect",
    "shared_record",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "shared_record.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "psc_connect.middleware.ProSanteConnectMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Searched before the templates of the apps, so that admin/login.html here replaces the admin's.
        "DIRS": [PROJECT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTHENTICATION_BACKENDS = [
    "psc_connect.backends.ProSanteConnectBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "psc_connect:login"
LOGIN_REDIRECT_URL = "me"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DEMO_FOLDER / "db.sqlite3",
        # SQLite has one writer at a time: take the lock at the start of a transaction, and wait for it.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", _("French")), ("en", _("English"))]
TIME_ZONE = "Europe/Paris"
USE_TZ = True
STATIC_URL = "static/"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"console": {"format": "%(asctime)s %(name)s %(message)s", "datefmt": "%H:%M:%S"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "console"},
        "null": {"class": "logging.NullHandler"},
    },
    "loggers": {
        "psc_connect": {"handlers": ["console"], "level": "INFO"},
        # Off: the development server logs whole addresses, and those of callbacks contain codes.
        "django.server": {"handlers": ["null"], "propagate": False},
    },
}
