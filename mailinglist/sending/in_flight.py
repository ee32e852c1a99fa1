"""PURE. How many requests to keep open at once, learnt from how long answers take.

Used by ``sender.py``. With more requests open than SES and the network work on at a time, answers only take longer; with
fewer, the line is idle. The gradient of latency (the best seen against the present one) tells which it is: as long as
answers stay about as quick as they can be, the number grows, at first fourfold; when they slow down, it shrinks.
"""

import math
from dataclasses import dataclass

LEAST, START = 4, 8
#: Answers may take so many times the best latency before the number shrinks.
TOLERANCE = 2.0
#: Share of a newly computed number that is taken over at once.
SMOOTHING = 0.5
#: After so many answers the best latency is learnt anew, with half as many requests open, in case the way has become
#: longer.
RELEARN_AFTER = 20_000


@dataclass(slots=True)
class InFlight:
    """``allowed`` requests may be open now; between LEAST and ``most``."""

    most: int
    limit: float = START
    _best: float = math.inf
    _sum: float = 0.0
    _count: int = 0
    _busiest: int = 0
    _answers: int = 0
    #: No answer has slowed down yet since the latency was learnt.
    _early: bool = True

    @property
    def allowed(self) -> int:
        return max(1, min(self.most, int(self.limit)))

    def observe(self, seconds: float, open_now: int) -> None:
        """One answer came after ``seconds`` while ``open_now`` requests were open."""
        self._best = min(self._best, seconds)
        self._sum += seconds
        self._count += 1
        self._busiest = max(self._busiest, open_now)
        if self._count >= max(10.0, self.limit):
            self._adapt()

    def _adapt(self) -> None:
        gradient = max(0.5, min(1.0, TOLERANCE * self._best * self._count / max(self._sum, 1e-9)))
        self._early &= gradient == 1
        wanted = self.limit * gradient + math.sqrt(self.limit)
        if self._early and self._busiest >= self.limit / 2:
            self.limit *= 4
        elif self._busiest >= self.limit / 2 or wanted < self.limit:
            self.limit += (wanted - self.limit) * SMOOTHING
        self.limit = min(float(self.most), max(float(min(LEAST, self.most)), self.limit))
        self._answers += self._count
        if self._answers >= RELEARN_AFTER:
            self.limit, self._best, self._answers = (
                max(float(min(LEAST, self.most)), self.limit / 2),
                math.inf,
                0,
            )
            self._early = True
        self._sum, self._count, self._busiest = 0.0, 0, 0
