"""The looks that campaigns can choose: a page with a place for what was written."""

from django.db import models
from django.db.models import Q

from mailinglist.models.validators import one_line


class Template(models.Model):
    """A page whose ``{{ content }}`` a campaign fills. Compiled together with the campaign, never alone."""

    class Format(models.TextChoices):
        HTML = "html", "HTML"
        MJML = "mjml", "MJML"

    name = models.CharField(max_length=120, unique=True, validators=[one_line])
    description = models.CharField(
        max_length=200, blank=True, validators=[one_line], help_text="For what mails it is good."
    )
    format = models.CharField(max_length=10, choices=Format.choices, default=Format.MJML)
    source = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="template_has_name"),
            models.CheckConstraint(condition=Q(format__in=["html", "mjml"]), name="template_format_known"),
        ]

    def __str__(self) -> str:
        return self.name
