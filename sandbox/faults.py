"""Every switch of the sandbox: limits, faults, delays, pushes. Read from ``--config`` and changed while running.

``POST /_sandbox/config`` merges a JSON object into the running ``Config``; ``GET`` shows it. An unknown key or
a bad value changes nothing and is answered with what is known. Changes live until the process ends or
``POST /_sandbox/reset``; chances are drawn from the seed, not from the order of the calls.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from sandbox.outcomes import ALIASES, RULES

Range = tuple[float, float]

DEFAULT_DELAYS: dict[str, Range] = dict.fromkeys(
    ("send", "delivery", "delay", "bounce", "complaint", "reject"), (20.0, 300.0)
)


class ConfigError(ValueError):
    """A key or value that the sandbox does not understand; the message says which and what it would take."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Milliseconds for latency, delays and reorder; seconds elsewhere; chances between 0 and 1."""

    seed: int = 1

    # Limits of the account. A quota of -1 is unlimited; the window is shortened by tests of refilling.
    max_send_rate: float = 100.0
    #: The rate that GetAccount tells, where it is not the true one.
    told_send_rate: float = 0.0
    quota: float = 100_000.0
    quota_window_seconds: float = 86_400.0

    # The account or the sender is not allowed to send.
    account_suspended: bool = False
    sending_paused: bool = False
    from_not_verified: bool = False
    mail_from_not_verified: bool = False
    throttle_all: bool = False

    # Faults around one call. "before": nothing was accepted. "after": accepted, but the caller cannot know.
    latency: Range = (0.0, 0.0)
    error_500_before: float = 0.0
    reset_before: float = 0.0
    error_500_after: float = 0.0
    reset_after: float = 0.0
    hang_after: float = 0.0
    hang_seconds: float = 30.0

    # Configuration sets: an empty list knows all names; a mail that names none uses the default set, and
    # without a default (null) it gets no events, as with the real SES.
    configuration_sets: tuple[str, ...] = ()
    default_configuration_set: str | None = "mailinglist"

    # What becomes of mails to addresses without a rule of their own, and whether SES fills its own list.
    mix: Mapping[str, float] = field(default_factory=dict)
    suppress_bounces: bool = True

    # Events: when they happen, how they are pushed.
    delays: Mapping[str, Range] = field(default_factory=lambda: dict(DEFAULT_DELAYS))
    reorder: float = 0.0
    duplicates: float = 0.0
    pushes: Literal["on", "hold"] = "on"
    signature_version: Literal["1", "2"] = "1"
    with_subject: bool = True
    retry_seconds: float = 1.0
    retry_limit: int = 100_000


def merge(config: Config, changes: Mapping[str, Any]) -> Config:
    """``config`` with ``changes`` (as decoded from JSON) on top; ``delays`` is merged kind by kind.

    Raises ConfigError for an unknown key or a value of the wrong kind.
    """
    if not isinstance(changes, Mapping):
        raise ConfigError('The configuration must be a JSON object, such as {"throttle_all": true}.')
    unknown = sorted(set(changes) - set(READERS))
    if unknown:
        raise ConfigError(f"Unknown key {', '.join(unknown)}. Known keys: {', '.join(sorted(READERS))}.")
    read: dict[str, Any] = {}
    for name, value in changes.items():
        try:
            read[name] = READERS[name](value)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{name}: {error} Got {value!r}.") from error
    if "delays" in read:
        read["delays"] = {**config.delays, **read["delays"]}
    return replace(config, **read)


def as_json(config: Config) -> dict[str, Any]:
    return asdict(config)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("Expected true or false.")
    return value


def _number(least: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        # The comparison also refuses NaN, which json.loads lets through.
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= least:
            raise ValueError(f"Expected a number of at least {least:g}.")
        return float(value)

    return read


def _positive(value: Any) -> float:
    number = _number(0)(value)
    if number == 0:
        raise ValueError("Expected a number above 0.")
    return number


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("Expected a whole number.")
    return value


def _chance(value: Any) -> float:
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    number = _number(0)(value)
    if number > 1:
        raise ValueError("Expected a chance between 0 and 1.")
    return number


def _quota(value: Any) -> float:
    number = _number(-1)(value)
    if -1 < number < 0:
        raise ValueError("Expected -1 (unlimited) or a number of recipients.")
    return number


def _range(value: Any) -> Range:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("Expected [least, most] in milliseconds.")
    least, most = (_number(0)(part) for part in value)
    if least > most:
        raise ValueError("Expected [least, most] with least ≤ most.")
    return least, most


def _delays(value: Any) -> dict[str, Range]:
    if not isinstance(value, Mapping) or not set(value) <= set(DEFAULT_DELAYS):
        raise ValueError(f"Expected an object of ranges with keys from {', '.join(DEFAULT_DELAYS)}.")
    return {kind: _range(part) for kind, part in value.items()}


def _mix(value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping) or not set(value) <= set(RULES) | set(ALIASES):
        raise ValueError(f"Expected an object of shares with keys from {', '.join(RULES)}.")
    shares = {name: _chance(part) for name, part in value.items()}
    if sum(shares.values()) > 1 + 1e-9:
        raise ValueError("The shares add up to more than 1.")
    return shares


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise ValueError("Expected a list of names; an empty list knows all names.")
    return tuple(value)


def _name_or_null(value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or not value):
        raise ValueError("Expected a name or null.")
    return value


def _one_of(*choices: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if str(value) not in choices:
            raise ValueError(f"Expected one of {', '.join(choices)}.")
        return str(value)

    return read


_READER_OF_TYPE: dict[Any, Callable[[Any], Any]] = {bool: _flag, int: _integer}
READERS: dict[str, Callable[[Any], Any]] = {
    **{f.name: _READER_OF_TYPE[f.type] for f in fields(Config) if f.type in _READER_OF_TYPE},
    "max_send_rate": _positive,
    "told_send_rate": _number(0),
    "quota": _quota,
    "quota_window_seconds": _positive,
    "latency": _range,
    **dict.fromkeys(
        ("error_500_before", "reset_before", "error_500_after", "reset_after", "hang_after", "duplicates"),
        _chance,
    ),
    "hang_seconds": _number(0),
    "configuration_sets": _names,
    "default_configuration_set": _name_or_null,
    "mix": _mix,
    "delays": _delays,
    "reorder": _number(0),
    "pushes": _one_of("on", "hold"),
    "signature_version": _one_of("1", "2"),
    "retry_seconds": _positive,
}
