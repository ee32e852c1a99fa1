"""PURE. Whether a provider suddenly refuses people it took mail for before: the wave that opens an incident.

Called by ``incidents`` with the counts of one provider in slots of a quarter of an hour. Only addresses that had
been delivered before are counted, so that an old or a bought list, whose addresses never existed, is no incident.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SLOT = timedelta(minutes=15)
#: An incident lasts until there was no wave for so long.
QUIET = timedelta(hours=6)
HARD, BLOCK = "hard", "block"


@dataclass(frozen=True, slots=True)
class Limits:
    """When a window is a wave: at least ``minimum`` addresses, ``share`` of all, and ``factor`` times the usual."""

    minimum: int = 20
    share: float = 0.05
    factor: float = 5.0
    #: Slots per window; it slides by one slot.
    window: int = 4


@dataclass(frozen=True, slots=True)
class Slot:
    """What came back in a quarter of an hour for addresses that took mail before."""

    starts_at: datetime
    #: Mails with an end: delivered, hard, soft, block.
    seen: int
    hard: int = 0
    block: int = 0

    def bounced(self, kind: str) -> int:
        return self.hard if kind == HARD else self.block


@dataclass(frozen=True, slots=True)
class Wave:
    """Windows that were far above ``baseline``, less than QUIET apart. ``share`` is that of the worst window."""

    kind: str
    starts_at: datetime
    ends_at: datetime
    share: float


def baseline(seen: int, bounced: int) -> float:
    """The usual share of a provider. A short history counts as half a per cent, which is normal."""
    return (bounced + 1) / (seen + 200)


def waves(slots: Sequence[Slot], kind: str, usual: float, limits: Limits) -> list[Wave]:
    """The waves in ``slots`` (any order, gaps allowed), oldest first; ``usual`` is the provider's baseline."""
    known = {slot.starts_at: slot for slot in slots}
    found: list[Wave] = []
    for end in sorted(known):
        window = [known[at] for back in range(limits.window) if (at := end - back * SLOT) in known]
        share = _share(window, kind, usual, limits)
        if not share:
            continue
        start = min(slot.starts_at for slot in window if slot.bounced(kind))
        wave = Wave(kind, start, end + SLOT, share)
        if found and start - found[-1].ends_at < QUIET:
            last = found.pop()
            wave = Wave(kind, last.starts_at, max(last.ends_at, wave.ends_at), max(last.share, share))
        found.append(wave)
    return found


def _share(window: Sequence[Slot], kind: str, usual: float, limits: Limits) -> float:
    """The share that bounced in a window that is a wave; 0 in any other."""
    bounced = sum(slot.bounced(kind) for slot in window)
    seen = sum(slot.seen for slot in window)
    if bounced < limits.minimum:
        return 0.0
    share = bounced / max(seen, bounced)
    return share if share >= max(limits.share, limits.factor * usual) else 0.0
