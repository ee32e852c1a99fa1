"""Counters since the start (or the last reset), for tests and benchmarks: ``GET /_sandbox/stats``."""

from collections import Counter
from typing import Any

from sandbox.mails import Mail


class Stats:
    def __init__(self) -> None:
        self.accepted = 0
        self.recipients_accepted = 0
        self.posts = 0
        self.posts_by_delivery: Counter[str] = Counter()
        self.posts_by_attempt: Counter[str] = Counter()
        self.posts_by_recipient: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.copies = 0
        self.pushed = 0
        self.retried = 0
        self.lost = 0

    def posted(self, mail: Mail) -> int:
        """Count a SendEmail call; the number of calls so far to the mail's first recipient, this one included."""
        self.posts += 1
        if delivery := mail.tags.get("delivery"):
            self.posts_by_delivery[delivery] += 1
            self.posts_by_attempt[f"{delivery}/{mail.tags.get('attempt', '')}"] += 1
        first = mail.recipients[0].lower()
        self.posts_by_recipient[first] += 1
        return self.posts_by_recipient[first]

    def as_json(self) -> dict[str, Any]:
        return {
            "posts": self.posts,
            "accepted": self.accepted,
            "recipients_accepted": self.recipients_accepted,
            "refused": dict(self.refused),
            "faults": dict(self.faults),
            "posts_by_delivery": dict(self.posts_by_delivery),
            "attempts_posted_again": {key: n for key, n in self.posts_by_attempt.items() if n > 1},
            "events": dict(self.events),
            "copies": self.copies,
            "pushed": self.pushed,
            "retried": self.retried,
            "lost": self.lost,
        }
