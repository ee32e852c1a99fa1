"""Files of people that managers bring in, and what is needed to take an import back."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q


def no_columns() -> list[str]:
    """For a model whose field ``list`` hides Python's."""
    return []


class Import(models.Model):
    """One uploaded file on its way into a list. Written only by import_files.py, import_runs.py and import_undo.py."""

    class State(models.TextChoices):
        #: Uploaded; a manager says what the columns are. → checking, cancelled
        MAPPING = "mapping", "columns to choose"
        #: A worker reads it and changes nothing. → checked, failed, cancelled
        CHECKING = "checking", "being checked"
        #: The report is there and nothing was changed. → importing, checking, cancelled
        CHECKED = "checked", "checked, not started"
        #: A worker brings the people in. → done, failed, cancelled
        IMPORTING = "importing", "being imported"
        DONE = "done", "imported"
        #: By a manager. What was done until then stays, and can be undone. → undoing
        CANCELLED = "cancelled", "cancelled"
        #: The file cannot be read, for the reason in ``trouble``. → undoing, if something was imported
        FAILED = "failed", "could not be read"
        #: A worker takes it back. → undone
        UNDOING = "undoing", "being undone"
        UNDONE = "undone", "undone"

    #: What a worker has to do, found by the sweep when every message was lost.
    WORK = frozenset({State.CHECKING, State.IMPORTING, State.UNDOING})

    list = models.ForeignKey("MailingList", on_delete=models.CASCADE, related_name="imports")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    #: Every row that this import makes carries it as its time, so that they can be found again.
    stamp = models.DateTimeField(unique=True)
    file_name = models.CharField(max_length=200)
    size = models.BigIntegerField(help_text="Bytes.")
    encoding = models.CharField(max_length=40)
    header = models.JSONField(default=no_columns, help_text="The names of the columns in the file.")
    #: What each column becomes: the name of a field, "attribute:…", or "" to leave it out.
    columns = models.JSONField(default=no_columns)
    status = models.CharField(max_length=16, default="confirmed", help_text="Of new subscriptions.")
    update = models.BooleanField(default=False)
    consent_text = models.TextField(blank=True, help_text="How the people agreed, as the manager says.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.MAPPING)
    trouble = models.TextField(blank=True)
    #: Rows read and people merged of the step at hand; how many people there are in all.
    rows_read = models.BigIntegerField(default=0)
    people_done = models.BigIntegerField(default=0)
    people = models.BigIntegerField(default=0)
    check_report = models.JSONField(default=dict, blank=True)
    report = models.JSONField(default=dict, blank=True)
    undo_report = models.JSONField(default=dict, blank=True)
    #: Runs of a worker since something was last done: of too many, the import itself is the cause.
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "mapping",
                        "checking",
                        "checked",
                        "importing",
                        "done",
                        "cancelled",
                        "failed",
                        "undoing",
                        "undone",
                    ]
                ),
                name="import_state_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["confirmed", "pending"]), name="import_status_known"
            ),
        ]
        indexes = [
            # The sweep: what a worker has to do.
            models.Index(
                fields=["id"],
                condition=Q(state__in=["checking", "importing", "undoing"]),
                name="import_to_work_on",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} into {self.list}"

    @property
    def working(self) -> bool:
        return self.state in self.WORK

    @property
    def can_cancel(self) -> bool:
        return self.state in (
            self.State.MAPPING,
            self.State.CHECKING,
            self.State.CHECKED,
            self.State.IMPORTING,
        )

    @property
    def can_undo(self) -> bool:
        ended = (self.State.DONE, self.State.CANCELLED, self.State.FAILED)
        return self.state in ended and self.started_at is not None

    @property
    def shown_report(self) -> dict[str, Any]:
        """The numbers of the import, else those of its check."""
        found: dict[str, Any] = self.report or self.check_report
        return found


class ImportPart(models.Model):
    """A piece of the file, in the database, so that a worker on any machine reads it. Gone when the import has ended."""

    owner = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "number"], name="import_part_once"),
        ]

    def __str__(self) -> str:
        return f"Part {self.number} of {self.owner_id}"


class ImportBadRow(models.Model):
    """A row that was refused, for the manager to download and mend."""

    owner = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="bad_rows", db_index=False)
    line = models.BigIntegerField()
    column = models.CharField(max_length=100, blank=True)
    value = models.TextField(blank=True)
    reason = models.TextField()

    class Meta:
        indexes = [
            # Its file, in the order of the lines.
            models.Index(fields=["owner", "line"], name="import_bad_rows"),
        ]

    def __str__(self) -> str:
        return f"Line {self.line}: {self.reason}"


class ImportedBefore(models.Model):
    """What somebody was before an import changed them, and what it made of them."""

    owner = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="befores", db_index=False)
    subscriber = models.ForeignKey("Subscriber", on_delete=models.CASCADE, related_name="+")
    before = models.JSONField()
    after = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "subscriber"], name="import_before_once"),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} before {self.owner_id}"
