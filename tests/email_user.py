"""A user model that has no username: people are known by their e-mail, which Pro Santé Connect does not send."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from psc_connect.backends import ProSanteConnectBackend


class EmailUser(AbstractBaseUser):
    email = models.EmailField(unique=True)
    last_name = models.CharField(max_length=50)
    is_staff = models.BooleanField(default=False)

    USERNAME_FIELD = "email"

    class Meta:
        app_label = "tests"
        managed = False


class CreatingBackend(ProSanteConnectBackend):
    """A site that knows how to make its users."""

    def create_user(self, claims):
        return EmailUser(email=f"{claims['sub']}@example.org")
