from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, Group, PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models


class Agent(AbstractBaseUser, PermissionsMixin):
    """A user model that is not based on AbstractUser: a short username field and fields of many types."""

    matricule = models.CharField(max_length=12, unique=True, validators=[RegexValidator(r"^[a-z0-9]+$")])
    full_name = models.CharField(max_length=20, blank=True)
    practices = models.JSONField(default=list, blank=True)
    palier = models.IntegerField(null=True, blank=True)
    since = models.DateField(null=True, blank=True)
    service = models.ForeignKey(Group, models.SET_NULL, null=True, blank=True, related_name="agents")
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    internal = models.CharField(max_length=10, editable=False, default="kept")

    objects = BaseUserManager()
    USERNAME_FIELD = "matricule"
