"""Counts that a task keeps, so that no page has to count a big table. All of them can be made anew from the rows."""

from django.db import models


class CampaignCount(models.Model):
    """The report of one campaign, as it was counted last. Written only by campaign_counts.py."""

    campaign = models.OneToOneField(
        "Campaign", primary_key=True, on_delete=models.CASCADE, related_name="count"
    )
    #: What reports.campaign_report returned.
    report = models.JSONField()
    counted_at = models.DateTimeField()
    #: How long that took, in seconds: what takes long is done less often.
    seconds = models.FloatField()
    #: The recipients by state, counted more often while it is sending: that takes a tenth of the time.
    by_state = models.JSONField()
    states_at = models.DateTimeField()
    states_seconds = models.FloatField()

    def __str__(self) -> str:
        return f"{self.campaign_id}, counted {self.counted_at:%Y-%m-%d %H:%M}"


class ListCount(models.Model):
    """How many people are on a list, by the status of their subscription. Written only by list_counts.py."""

    list = models.OneToOneField(
        "MailingList", primary_key=True, on_delete=models.CASCADE, related_name="count"
    )
    confirmed = models.PositiveBigIntegerField(default=0)
    pending = models.PositiveBigIntegerField(default=0)
    unsubscribed = models.PositiveBigIntegerField(default=0)
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.list_id}: {self.confirmed}"


class ListDay(models.Model):
    """Who came to a list and who left it on one day (UTC), from the history. Written only by list_counts.py."""

    list = models.ForeignKey("MailingList", on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    joined = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["list", "day"], name="one_row_per_list_and_day")]
        indexes = [
            # The growth of all lists together.
            models.Index(fields=["day"], name="list_day_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.list_id} on {self.day}: +{self.joined} −{self.left}"
