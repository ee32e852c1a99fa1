"""Where these data live."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Home(models.Model):
    """The database in which the data were last at work: one row. Written only by sending/home.py and restored.py."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    #: What sending/home.py knows it by.
    fingerprint = models.CharField(max_length=120)
    since = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_home")]

    def __str__(self) -> str:
        return self.fingerprint
