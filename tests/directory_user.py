"""A user model as a hospital's directory has it: some fields by the names that one expects, some by others."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models


class DirectoryUser(AbstractBaseUser):
    username = models.CharField(max_length=150, unique=True)
    first_name = models.CharField(max_length=150)
    last_name = models.CharField(max_length=150)
    metier = models.CharField(max_length=100)
    specialities = models.CharField(max_length=100)
    rpps = models.CharField(max_length=11)
    # No claim may fill these.
    siret = models.CharField(max_length=14, editable=False)
    structure = models.ForeignKey("auth.Group", models.DO_NOTHING, related_name="+")

    USERNAME_FIELD = "username"

    class Meta:
        app_label = "tests"
        managed = False
