"""What people are chosen by: typed attributes, tags, and segments, which are stored questions about them."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from mailinglist.models.validators import one_line


class Attribute(models.Model):
    """What a further value of subscribers means. Values of other names stay allowed, as texts."""

    class Kind(models.TextChoices):
        TEXT = "text", "text"
        NUMBER = "number", "number"
        #: As YYYY-MM-DD.
        DATE = "date", "date"
        YES_NO = "yes-no", "yes or no"
        CHOICE = "choice", "one of several"

    key = models.CharField(
        "name in files and mails",
        max_length=100,
        unique=True,
        validators=[one_line],
        help_text="The column of a file, and the merge tag: city is used as {{ city }}.",
    )
    label = models.CharField(
        max_length=80, validators=[one_line], help_text="What managers see, for example: Town."
    )
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.TEXT)
    choices = ArrayField(models.CharField(max_length=100), default=list, blank=True, db_default=[])

    class Meta:
        ordering = ["label", "pk"]
        verbose_name = "value of subscribers"
        verbose_name_plural = "values of subscribers"
        constraints = [
            models.CheckConstraint(condition=~Q(key="") & ~Q(label=""), name="attribute_has_names"),
            models.CheckConstraint(
                condition=Q(kind__in=["text", "number", "date", "yes-no", "choice"]),
                name="attribute_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(kind="choice", choices__len__gt=0) | (~Q(kind="choice") & Q(choices=[])),
                name="only_choice_has_choices",
            ),
        ]

    def __str__(self) -> str:
        return self.label


class Tag(models.Model):
    """A word that managers put on people. Written by tags.py."""

    name = models.CharField(max_length=60, validators=[one_line])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="one_tag_per_name"),
            models.CheckConstraint(condition=~Q(name=""), name="tag_has_name"),
        ]

    def __str__(self) -> str:
        return self.name


class SubscriberTag(models.Model):
    """One tag on one person. A row of its own, not a list in the person's row: tagging many people neither locks them,
    which would make the sender wait, nor rewrites their rows and indexes; and a tag is renamed in one place.
    """

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="+", db_index=False)
    subscriber = models.ForeignKey(
        "Subscriber", on_delete=models.CASCADE, related_name="tag_rows", db_index=False
    )

    class Meta:
        constraints = [
            # In this order, so that its index finds the tags of a person too.
            models.UniqueConstraint(fields=["subscriber", "tag"], name="one_row_per_person_and_tag"),
        ]
        indexes = [
            # Who has a tag, in the order of people.
            models.Index(fields=["tag", "subscriber"], name="subscriber_tag_by_tag"),
        ]

    def __str__(self) -> str:
        return f"{self.tag} on {self.subscriber}"


class Segment(models.Model):
    """A stored question: who of the subscribers? ``rules`` is a tree that segments/rules.py has read and written."""

    name = models.CharField(max_length=120, unique=True, validators=[one_line])
    rules = models.JSONField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="segment_has_name")]

    def __str__(self) -> str:
        return self.name
