"""``python -m tests.bounces.fuzz``, by way of script/fuzz: broken mails and JSON, for so many minutes.

Hypothesis takes a sample and breaks it: cuts, repeats, swaps and inserts pieces that readers stumble over. No input may
raise, take more than a second, or bring the process above 200 MB; and every text that comes out must fit its column.
The input that breaks a rule is made as small as possible and written to a file.
"""

import argparse
import json
import random
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from bounces import events, opinion, reading
from bounces.events import EventFacts

PAYLOADS = Path(__file__).resolve().parent.parent / "payloads"
SECONDS, MEGABYTES = 1.0, 200
_NOW = datetime(2026, 11, 20, tzinfo=UTC)
#: Pieces that readers stumble over.
_PIECES = (
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\r",
    b"\n\n",
    b" ",
    b"--cut\n",
    b"--cut--\n",
    b"=?utf-8?B?////?=",
    b"=?x?Q?=",
    b'Content-Type: multipart/report; boundary="cut"\n\n',
    b"Content-Type: message/rfc822\n\n",
    b"Content-Type: message/delivery-status\n\n",
    b"Content-Transfer-Encoding: base64\n",
    b"Final-Recipient: rfc822;\n",
    b"Final-Recipient: rfc822; <<<a@b.example>>>\n",
    b"Action: failed\n",
    b"Status: 5.1.1 (x\n",
    b"Diagnostic-Code: smtp; ",
    b"X-Mailinglist-Delivery: 1-1-00000000000000000000\n",
    b"Date: Fri, 31 Feb 9999999 00:00:00 +9999\n",
    b"From: ",
    b'charset="utf-7"',
    b'charset="no-such"',
    b"<html",
    b"<" * 200,
    b"(" * 200,
    b"a@" * 200,
    b"550 5.1.1 ",
    b"[" * 3000,
    b'{"a":' * 3000,
    b"1e999",
    b"NaN",
    b"-Infinity",
    b'"\\ud800"',
    b'"\\u0000"',
    b"null",
    b"true",
    b"9" * 5000,
    b'"',
    b"\\",
    b'"timestamp":"0001-01-01T00:00:00+23:59"',
    b'"bouncedRecipients":',
    b'"mail":{"messageId":7}',
    b"> " * 300,
    b"\t" * 900,
)


class Hang(BaseException):
    """It took more than a second. No Exception, so that no reader swallows it."""


def check(raw: bytes) -> None:
    """Read ``raw`` in every way that the product does, and look at what comes out."""
    with _within(SECONDS):
        found = [reading.of_mail(raw, received_at=_NOW), reading.of_json(raw)]
        told = opinion.of_document("fuzz", raw)
    assert told
    json.dumps([each.as_dict() for each in told]).encode()
    for read in found:
        for each in read.judged:
            _fits(each.fact)
            assert (
                len(each.verdict.kind) <= 14 and len(each.verdict.reason) <= 60 and each.verdict.explanation
            )


def _fits(fact: EventFacts) -> None:
    limits = {
        "kind": 20,
        "type": events.TYPE,
        "subtype": events.TYPE,
        "recipient": events.RECIPIENT,
        "diagnostic": events.TEXT,
        "message_id": events.MESSAGE_ID,
        "action": events.ACTION,
        "status": events.STATUS,
        "mta": events.MTA,
        "our_header": 256,
    }
    for name, limit in limits.items():
        value = getattr(fact, name)
        assert len(value) <= limit and "\x00" not in value, (name, value)
        value.encode()
    assert len(fact.dedupe_key) == 64 and datetime(2000, 1, 1, tzinfo=UTC) <= fact.occurred_at
    json.dumps(fact.extra).encode()


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Of processor time: readers wait for nothing, and the machine may be busy with other things."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang(f"It took more than {seconds:g} s.")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def samples() -> list[bytes]:
    """Every sample mail and document of the tests."""
    return [file.read_bytes() for file in sorted(PAYLOADS.rglob("*")) if file.suffix in (".eml", ".json")]


def broken(originals: list[bytes]) -> st.SearchStrategy[bytes]:
    """A sample with one to a dozen changes, or bytes of any kind."""
    place, sample = st.floats(0, 1), st.integers(0, len(originals) - 1).map(lambda number: originals[number])
    piece = st.integers(0, len(_PIECES) - 1).map(lambda number: _PIECES[number])
    change = st.one_of(
        st.tuples(st.just("cut"), place, place),
        st.tuples(st.just("repeat"), place, place),
        st.tuples(st.just("insert"), place, piece),
        st.tuples(st.just("insert"), place, st.binary(max_size=40)),
        st.tuples(st.just("replace"), place, piece),
        st.tuples(st.just("join"), place, sample),
    )
    return st.one_of(
        st.builds(_changed, sample, st.lists(change, min_size=1, max_size=12)),
        st.lists(piece, max_size=40).map(b"".join),
        st.binary(max_size=400),
    )


def _changed(raw: bytes, changes: list[tuple[str, float, float | bytes]]) -> bytes:
    for kind, where, what in changes:
        at = int(where * len(raw))
        if isinstance(what, bytes):
            rest = at + len(what) if kind == "replace" else at
            raw = raw[:at] + what + raw[rest:]
            continue
        end = min(len(raw), at + int(what * 400))
        raw = raw[:at] + raw[end:] if kind == "cut" else raw[:end] + raw[at:end] * 8 + raw[end:]
    return raw[:300_000]


def rounds(number: int, minutes: float, examples: int, tell: Callable[[int], None]) -> int:
    """Check inputs until the time is over; how many. Raises what the last one broke, with the smallest input."""
    end, checked = time.monotonic() + minutes * 60, 0
    strategy = broken(samples())
    quick = settings(
        max_examples=examples, deadline=None, database=None, derandomize=False,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink], print_blob=False,
    )  # fmt: skip
    while time.monotonic() < end:

        @seed(number + checked)
        @quick
        @given(strategy)
        def one(raw: bytes) -> None:
            nonlocal checked
            checked += 1
            if time.monotonic() < end:
                _last[:] = [raw]
                check(raw)

        one()
        _check_memory()
        tell(checked)
    return checked


_last: list[bytes] = []


def _check_memory() -> None:
    """The peak of the whole process, with Python and hypothesis in it."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform != "darwin" else 1024)
    assert used <= MEGABYTES * 1024, f"The process took {used / 1024:.0f} MB, more than {MEGABYTES}."


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="script/fuzz",
        description="Feed broken mails and JSON to the readers: nothing may raise, hang or grow.",
        epilog="Exit status 1: an input broke a rule; it is written to fuzz-failure in the present folder.",
    )
    parser.add_argument("--minutes", type=float, default=10, metavar="N", help="how long (10)")
    parser.add_argument("--seed", type=int, metavar="N", help="to do the same again (default: by chance)")
    given_ = parser.parse_args()
    if not 0 < given_.minutes <= 24 * 60:
        parser.error(f"--minutes {given_.minutes:g}: more than 0, at most 1440.")
    number = given_.seed if given_.seed is not None else random.SystemRandom().randrange(10**9)
    print(f"Seed {number}.", flush=True)
    try:
        checked = rounds(number, given_.minutes, 2000, lambda so_far: None)
    except BaseException:
        if _last:
            Path("fuzz-failure").write_bytes(_last[0])
            print(f"The input of {len(_last[0])} bytes is in fuzz-failure.", file=sys.stderr)
        raise
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{checked:,} inputs: no exception, no hang, at most {peak:.0f} MB.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
