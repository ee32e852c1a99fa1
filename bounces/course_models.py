"""The course of campaigns, as a task counted it."""

from django.db import models


class CampaignCourse(models.Model):
    """What came back about one campaign over time and by provider. Written only by campaign_course.py."""

    campaign = models.OneToOneField(
        "mailinglist.Campaign", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    #: [hour since the start, what, provider, number], see campaign_course.py.
    rows = models.JSONField()
    counted_at = models.DateTimeField()
    #: How long that took, in seconds: what takes long is done less often.
    seconds = models.FloatField()

    def __str__(self) -> str:
        return f"{self.campaign_id}, counted {self.counted_at:%Y-%m-%d %H:%M}"
