from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models


class NotDeleted(UserManager):
    def get_queryset(self) -> Any:
        return super().get_queryset().filter(is_deleted=False)


class Agent(AbstractUser):
    """A user that the default manager no longer finds once it is deleted."""

    is_deleted = models.BooleanField(default=False)

    objects = NotDeleted()
    everyone = UserManager()
