"""PURE. How many rows a run of the engine may have claimed before a request is free for them.

Used by ``engine.py``. Whatever is claimed when a process is killed is in doubt afterwards, though nothing of what waited
had left. So no more waits than the run gets answers for in SECONDS: enough that no request is idle while the next rows
are claimed, few where SES, the pace or the machine is slow.
"""

from dataclasses import dataclass

#: Of answers, for the rows that wait.
SECONDS = 0.25
#: So many mails may wait whatever the pace, also before there is one; or those of one call.
LEAST = 16
#: The pace is measured anew after so many seconds.
WINDOW = 0.1


@dataclass(slots=True)
class Ahead:
    """Between ``least`` and ``most`` rows may wait. ``since`` and ``now`` are seconds of any one clock."""

    least: int
    most: int
    since: float
    pace: float = 0.0
    _answers: int = 0

    def answered(self, rows: int, now: float) -> None:
        self._answers += rows
        if (passed := now - self.since) >= WINDOW:
            self.pace, self._answers, self.since = self._answers / passed, 0, now

    @property
    def rows(self) -> int:
        return min(self.most, max(self.least, int(self.pace * SECONDS)))
