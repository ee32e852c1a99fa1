"""Numbers for monitoring, in Prometheus' text format. Apps above this one add theirs with ``@collector``.

Every collector must stay cheap on a full database (counts over partial indexes only) and name no person.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count

from mailinglist.models import Campaign, Delivery, SendBudget

#: States that have a partial index. The others grow with every campaign: counting them reads the whole table.
WORKED_ON = (Delivery.State.QUEUED, Delivery.State.SENDING, Delivery.State.WAITING, Delivery.State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Gauge:
    """One metric: its samples are (labels, value)."""

    name: str
    help: str
    samples: list[tuple[Mapping[str, str], float]]


Collector = Callable[[], Iterable[Gauge]]
_collectors: list[Collector] = []


def collector(function: Collector) -> Collector:
    """Decorator: the gauges that ``function`` returns appear on /metrics."""
    if function not in _collectors:
        _collectors.append(function)
    return function


def render() -> str:
    """All gauges of all collectors, in the text exposition format 0.0.4."""
    lines: list[str] = []
    for collect in _collectors:
        for gauge in collect():
            lines += [f"# HELP {gauge.name} {gauge.help}", f"# TYPE {gauge.name} gauge"]
            lines += [f"{gauge.name}{_labels(labels)} {value:.15g}" for labels, value in gauge.samples]
    return "\n".join(lines) + "\n"


@collector
def deliveries() -> list[Gauge]:
    """Deliveries that the engine still has to do something about."""
    samples: list[tuple[Mapping[str, str], float]] = [
        ({"state": state.value}, Delivery.objects.filter(state=state).count()) for state in WORKED_ON
    ]
    return [Gauge("mailinglist_deliveries", "Deliveries in the states that are worked on.", samples)]


@collector
def campaigns() -> list[Gauge]:
    """Campaigns by status, zeros included, so that an alert can watch any of them."""
    counts = dict(Campaign.objects.order_by().values_list("status").annotate(Count("pk")))
    samples: list[tuple[Mapping[str, str], float]] = [
        ({"status": status.value}, counts.get(status.value, 0)) for status in Campaign.Status
    ]
    return [Gauge("mailinglist_campaigns", "Campaigns by status.", samples)]


@collector
def send_budget() -> list[Gauge]:
    """What SES allows and how much of it is in use, per account and region."""
    budgets = list(SendBudget.objects.order_by("name"))
    columns = {
        "max_send_rate": "Recipients per second that SES allows; -1: unlimited.",
        "max_24_hour": "Recipients in 24 hours that SES allows; -1: unlimited.",
        "sent_24_hour": "Recipients of the last 24 hours.",
        "factor": "Share of the send rate in use; falls when SES throttles.",
    }
    return [
        Gauge(
            f"mailinglist_send_budget_{column}",
            text,
            [({"budget": budget.name}, getattr(budget, column)) for budget in budgets],
        )
        for column, text in columns.items()
    ]


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
