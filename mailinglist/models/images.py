"""Pictures in mails."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from mailinglist.models.subscribers import new_token
from mailinglist.models.validators import one_line


class MailImage(models.Model):
    """A picture that mails show, in the database as logos are. Its bytes never change. Written by images.py."""

    #: Its name in public, which nobody can guess.
    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    name = models.CharField(max_length=120, validators=[one_line], help_text="For you, to find it again.")
    alt = models.CharField(
        "description",
        max_length=200,
        blank=True,
        validators=[one_line],
        help_text="What is to be seen, in a few words: read aloud, and shown where pictures are off.",
    )
    data = models.BinaryField()
    content_type = models.CharField(max_length=20, editable=False)
    width = models.PositiveSmallIntegerField(editable=False)
    height = models.PositiveSmallIntegerField(editable=False)
    #: Bytes.
    size = models.PositiveIntegerField(editable=False)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "picture"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(content_type__in=["image/png", "image/jpeg", "image/webp", "image/gif"]),
                name="mail_image_is_a_picture",
            ),
            models.CheckConstraint(condition=Q(width__gt=0) & Q(height__gt=0), name="mail_image_has_size"),
        ]

    def __str__(self) -> str:
        return self.name
