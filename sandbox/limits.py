"""The pace and the quota of the account: a token bucket and a rolling window, both counted in recipients.

The bucket holds one second's worth (at least one mail), as SES lets short bursts pass. What is refused costs
nothing: SES drops throttled mail, it does not queue it.
"""

from collections import deque

from sandbox.errors import SesError
from sandbox.faults import Config


class SendLimits:
    """State of the two limits; times are seconds since the epoch."""

    def __init__(self) -> None:
        self._tokens: float | None = None
        self._filled_at = 0.0
        self._sent: deque[tuple[float, int]] = deque()
        self._sent_in_window = 0

    def take(self, recipients: int, *, counted: int, now: float, config: Config) -> None:
        """Take the permits for a mail to ``recipients``, of whom ``counted`` weigh on the quota.

        Raises SesError: LimitExceededException (quota) or TooManyRequestsException (rate).
        """
        if config.quota >= 0 and self.sent_in_window(now=now, config=config) + counted > config.quota:
            raise SesError("LimitExceededException", "Daily message quota exceeded.")
        capacity = max(config.max_send_rate, 1.0)
        tokens = capacity if self._tokens is None else self._tokens
        # The clock of a machine may be set back; the bucket then just does not fill.
        tokens = min(capacity, tokens + max(0.0, now - self._filled_at) * config.max_send_rate)
        self._tokens, self._filled_at = tokens, now
        if tokens < min(recipients, capacity):
            raise SesError("TooManyRequestsException", "Maximum sending rate exceeded.")
        self._tokens = tokens - recipients
        self.record(counted, at=now)

    def record(self, recipients: int, *, at: float) -> None:
        """Count recipients against the quota; also used for what the ledger remembers of earlier runs."""
        if recipients:
            self._sent.append((at, recipients))
            self._sent_in_window += recipients

    def sent_in_window(self, *, now: float, config: Config) -> int:
        while self._sent and self._sent[0][0] <= now - config.quota_window_seconds:
            self._sent_in_window -= self._sent.popleft()[1]
        return self._sent_in_window
