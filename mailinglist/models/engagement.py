"""What recipients did with a mail, as far as opens and clicks tell."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Engagement(models.Model):
    """One campaign mail that was opened or followed: by people, by programs, or nobody can tell. Written only by
    engagement.py, which computes it anew from all events of the mail; holds no address and nothing about a browser.
    """

    class Who(models.TextChoices):
        #: It did not happen.
        NOBODY = "", "nobody"
        #: Only programs.
        MACHINE = "machine", "programs"
        #: Nothing tells whether a person did.
        UNSURE = "unsure", "nobody can tell"
        #: At least one of the events is a person's.
        PERSON = "person", "people"

    delivery = models.OneToOneField(
        "Delivery", primary_key=True, on_delete=models.CASCADE, related_name="engagement"
    )
    campaign = models.ForeignKey("Campaign", on_delete=models.CASCADE, related_name="+", db_index=False)
    opened = models.CharField(max_length=8, choices=Who.choices, blank=True, default="")
    clicked = models.CharField(max_length=8, choices=Who.choices, blank=True, default="")
    #: People opened it, and all that is seen of them is the picture proxy of their mail provider.
    proxied = models.BooleanField(default=False)
    #: How many events there were, whoever caused them.
    opens = models.PositiveIntegerField(default=0)
    clicks = models.PositiveIntegerField(default=0)
    #: Numbers of the links (see composing/links.py) that people, nobody knows who, and only programs followed.
    links_person = ArrayField(models.SmallIntegerField(), default=list)
    links_unsure = ArrayField(models.SmallIntegerField(), default=list)
    links_machine = ArrayField(models.SmallIntegerField(), default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(opened__in=["", "machine", "unsure", "person"])
                & Q(clicked__in=["", "machine", "unsure", "person"]),
                name="engagement_who_known",
            ),
            models.CheckConstraint(condition=Q(opens__gt=0) | Q(clicks__gt=0), name="engagement_has_events"),
        ]
        indexes = [
            # The numbers of a campaign, and who opened its mail, newest first.
            models.Index(fields=["campaign", "opened", "-delivery"], name="engagement_by_campaign"),
            # Who followed a link of it, newest first.
            models.Index(
                fields=["campaign", "clicked", "-delivery"],
                condition=~Q(clicked=""),
                name="engagement_clicked",
            ),
        ]

    def __str__(self) -> str:
        return f"opened by {self.get_opened_display()}, followed by {self.get_clicked_display()}"
