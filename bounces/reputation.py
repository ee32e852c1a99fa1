"""The account's bounce and complaint rates as SES counts them, beside the marks at which SES acts. Read-only.

SES's own definition (docs/bounces.md): hard bounces and complaints per mail sent, over a "representative volume" that it
does not tell; addresses that its suppression list swallowed do not count. Read from the slots, so that it is cheap.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum
from django.utils import timezone

from bounces.models import ProviderSlot

#: SES asks to stay below the first, reviews the account at the second, pauses it at the third.
BOUNCE_MARKS = (0.02, 0.05, 0.10)
COMPLAINT_MARKS = (0.001, 0.001, 0.005)
DAYS = 14
#: Fewer mails than this say nothing.
ENOUGH = 200


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate and its marks. ``tone``: success, warning, danger, or default where there were too few mails."""

    name: str
    count: int
    sent: int
    marks: tuple[float, float, float]

    @property
    def share(self) -> float:
        return self.count / self.sent if self.sent else 0.0

    @property
    def tone(self) -> str:
        keep, review, _ = self.marks
        if self.sent < ENOUGH:
            return "default"
        return "danger" if self.share >= review else "warning" if self.share >= keep else "success"

    @property
    def words(self) -> str:
        keep, review, pause = (100 * mark for mark in self.marks)
        return (
            f"{100 * self.share:.2f} % of {self.sent:,} mails. SES wants less than {keep:g} %, reviews at {review:g} % "
            f"and pauses at {pause:g} %."
        )


def rates(now: datetime | None = None) -> list[Rate]:
    """Hard bounces and complaints of the last fourteen days."""
    since = (now or timezone.now()) - timedelta(days=DAYS)
    sums = ProviderSlot.objects.filter(starts_at__gte=since).aggregate(
        **{name: Sum(name, default=0) for name in ("delivered", "hard", "soft", "block", "complaint")}
    )
    sent = sums["delivered"] + sums["hard"] + sums["soft"] + sums["block"]
    return [
        Rate("hard bounces", sums["hard"], sent, BOUNCE_MARKS),
        Rate("complaints", sums["complaint"], sent, COMPLAINT_MARKS),
    ]
