"""The append-only record of every status change: who, from, to, why."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q


class Change(models.Model):
    """One change of a subscriber, subscription, suppression, campaign or list. Never deleted; nothing in it is changed
    but by an erasure, which takes away whom it was about.
    """

    class Actor(models.TextChoices):
        #: A manager, named in ``user``.
        USER = "user", "a manager"
        #: The person behind the address, through a public page or button.
        PERSON = "person", "the subscriber"
        #: The bounce policy, because of an event (its id is in ``evidence``).
        RULE = "rule", "bounce policy"
        #: An import file or a command.
        COMMAND = "command", "a command"
        #: The engine itself (finished, paused by SES).
        SYSTEM = "system", "the system"

    class Noun(models.TextChoices):
        SUBSCRIBER = "subscriber", "subscriber"
        SUBSCRIPTION = "subscription", "subscription"
        SUPPRESSION = "suppression", "suppression"
        CAMPAIGN = "campaign", "campaign"
        DELIVERY = "delivery", "delivery"
        LIST = "list", "list"
        INCIDENT = "incident", "incident"
        TEMPLATE = "template", "template"
        IMAGE = "image", "image"
        #: Somebody who may log in: their roles, logins and second step. ``object_id``: of the account, 0: of none.
        MANAGER = "manager", "manager"

    at = models.DateTimeField()
    actor = models.CharField(max_length=10, choices=Actor.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    noun = models.CharField(max_length=14, choices=Noun.choices)
    object_id = models.BigIntegerField()
    #: Whose timeline it belongs to, where it concerns a person.
    subscriber = models.ForeignKey(
        "Subscriber", null=True, blank=True, on_delete=models.SET_NULL, related_name="changes", db_index=False
    )
    list = models.ForeignKey(
        "MailingList", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    before = models.CharField(max_length=60, blank=True)
    after = models.CharField(max_length=60)
    why = models.TextField(blank=True, help_text="A sentence for people.")
    evidence = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(before=models.F("after")) | ~Q(why=""), name="change_says_something"
            ),
        ]
        indexes = [
            # Who came and who left in the last days. Rows lie in the order of their time: a few pages do.
            BrinIndex(fields=["at"], autosummarize=True, name="change_by_time"),
            # The admin: what one kind of actor did, newest first.
            models.Index(fields=["actor", "-id"], name="change_by_actor"),
            # The timeline of a person.
            models.Index(fields=["subscriber", "-at"], name="change_timeline"),
            # What a manager did, also when their account is deleted. Most changes have no manager.
            models.Index(fields=["user"], condition=Q(user__isnull=False), name="change_by_user"),
            # The history of one object.
            models.Index(fields=["noun", "object_id", "-at"], name="change_history"),
        ]

    def __str__(self) -> str:
        return f"{self.noun}: {self.before or '—'} → {self.after}"
