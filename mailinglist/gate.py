"""Whether a sign-up from the open internet is let through. The one decision behind every form, page or JSON.

Called by views/joining.py with what a visitor sent; what is let through goes to subscriptions.subscribe. Nothing that
``ask`` answers tells whether an address is known: it looks at the form, the network and the domain only, and a
request behind the limit of a network, a domain or an address gets the usual answer while nothing about the person is
stored. What became of requests is counted for the manager (form_numbers.py).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.utils.translation import gettext

from mailinglist import addresses, captcha, form_steps, mail_domains, sign_up_counts, typos
from mailinglist.models import FormStep, MailingList, SignUpCount
from mailinglist.sign_up_counts import Limit
from mailinglist.subscriptions import SignUp

Scope = SignUpCount.Scope
#: A large mailbox provider has so many times the people of any other domain.
PROVIDER_FACTOR = 10


class Answer(Enum):
    """What to do with a sign-up. ``silent``: answer as if it had been let through, and do nothing."""

    ADMIT = "let through"
    TRAP = "filled in the trap"
    NETWORK = "too many from one network"
    DOMAIN = "too many for one domain"
    ADDRESS = "too many for one address"
    TOO_QUICK = "sent too quickly"
    NO_STAMP = "without the time of the form"
    CAPTCHA = "captcha asked"
    FULL = "too many on this form"
    CLOSED = "form closed"
    NO_DOMAIN = "domain takes no mail"

    @property
    def silent(self) -> bool:
        return self in _SILENT

    @property
    def sentence(self) -> str:
        """What the visitor is told, where the form is shown again; empty where it is not."""
        return _sentences().get(self, "")


#: The steps at which a visitor's browser has to solve a captcha.
CAPTCHA_STEPS = frozenset({FormStep.Step.CAPTCHA, FormStep.Step.LIMITED})
_SILENT = frozenset({Answer.TRAP, Answer.NETWORK, Answer.DOMAIN, Answer.ADDRESS})


@dataclass(frozen=True, slots=True)
class Request:
    """What a visitor sent to a form. ``email``: a valid address. ``filled_seconds``: how long they had the form
    (fill_time.seconds); None: not known. ``captcha_solution``: what the widget sent, or "". ``trapped``: the field that
    people do not see was filled in.
    """

    email: str
    ip: str | None
    filled_seconds: float | None
    captcha_solution: str
    trapped: bool


def ask(mailing_list: MailingList, request: Request, *, now: datetime) -> Answer:
    """Decide about one sign-up, and count it. Raises addresses.BadAddress."""
    answer = _decide(mailing_list, request, now)
    if answer is not Answer.ADMIT:  # the counter of the form knows those
        _note(mailing_list, answer, now)
    return answer


def note_outcome(mailing_list: MailingList, outcome: SignUp, *, now: datetime) -> None:
    """Count what subscriptions.subscribe held back, after it was called for a sign-up that was let through."""
    if outcome is SignUp.ADDRESS_LIMIT:
        _note(mailing_list, Answer.ADDRESS, now)


def step(mailing_list: MailingList, *, now: datetime) -> FormStep.Step:
    """How far the form has closed itself: what its page has to show. Reads only."""
    return form_steps.current(form_steps.of(mailing_list.pk), now=now)


def network(ip: str) -> str:
    """The network of an address that counts as one visitor: /24 of IPv4, /64 of IPv6. Empty for this machine."""
    found: IPv4Address | IPv6Address = ip_address(ip)
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if found.is_loopback:
        return ""
    return str(ip_network(f"{found}/{24 if found.version == 4 else 64}", strict=False))


def answer_key(list_id: int, answer: Answer) -> str:
    """Under which the answers of a form are counted."""
    return f"{list_id}:{answer.name.lower()}"


def _decide(mailing_list: MailingList, request: Request, now: datetime) -> Answer:
    if request.trapped:
        return Answer.TRAP
    row = form_steps.seen_with(mailing_list)
    step = form_steps.current(row, now=now)
    if row and row.step != FormStep.Step.OPEN and row.until <= now:
        form_steps.settle(now=now, list_id=mailing_list.pk)
        row = form_steps.of(mailing_list.pk)
        step = form_steps.current(row, now=now)
    if step == FormStep.Step.CLOSED:
        return Answer.CLOSED
    if not captcha.solved(mailing_list, request.captcha_solution, now=now):
        if step != FormStep.Step.OPEN:
            return Answer.CAPTCHA
        if request.filled_seconds is None:
            return Answer.NO_STAMP
        if request.filled_seconds < settings.SIGNUP_MIN_SECONDS:
            return Answer.TOO_QUICK
    return _count(mailing_list, addresses.normalise(request.email).domain, request.ip, row, now)


def _count(
    mailing_list: MailingList, domain: str, ip: str | None, row: FormStep | None, now: datetime
) -> Answer:
    """The limits, the narrowest first: who is behind one of them uses up nothing of the next."""
    where = network(ip) if ip else "unknown"
    of_network = (
        [Limit(Scope.NETWORK, sign_up_counts.hidden(Scope.NETWORK, where), settings.SIGNUP_PER_NETWORK)]
        if where
        else []
    )
    begin = row.counted_from if row else now - timedelta(days=1)
    per_domain = settings.SIGNUP_PER_DOMAIN * (PROVIDER_FACTOR if domain in typos.PROVIDERS else 1)
    of_the_rest = [
        Limit(Scope.DOMAIN, sign_up_counts.hidden(Scope.DOMAIN, domain), per_domain),
        Limit(Scope.FORM, str(mailing_list.pk), settings.SIGNUP_PER_FORM, begin),
    ]
    if of_network and not mail_domains.is_known_to_take_mail(domain):
        # A network that has asked for too much does not make us ask the DNS.
        if not sign_up_counts.take_in_turn(of_network, now=now)[0].passed:
            return Answer.NETWORK
        of_network = []
    if not mail_domains.may_take_mail(domain):
        return Answer.NO_DOMAIN
    limits = [*of_network, *of_the_rest]
    taken = sign_up_counts.take_in_turn(limits, now=now)
    reached = limits[len(taken) - 1].scope
    if reached is not Scope.FORM:
        return Answer.NETWORK if reached is Scope.NETWORK else Answer.DOMAIN
    form = taken[-1]
    if form.asked >= settings.SIGNUP_CAPTCHA_FROM:
        form_steps.climb(mailing_list.pk, asked=form.asked, now=now)
    return Answer.ADMIT if form.passed else Answer.FULL


def _note(mailing_list: MailingList, answer: Answer, now: datetime) -> None:
    sign_up_counts.note(Scope.ANSWER, answer_key(mailing_list.pk, answer), now=now)


def _sentences() -> dict[Answer, str]:
    return {
        Answer.TOO_QUICK: gettext("That was very quick. Please press the button once more."),
        Answer.NO_STAMP: gettext("This page was open for long. Please press the button once more."),
        Answer.CAPTCHA: gettext(
            "Many people sign up here right now. Your browser shows by a small computation that it is not a "
            "robot's. Please press the button once more when the tick appears."
        ),
        Answer.FULL: gettext(
            "Too many sign-ups came to this form within an hour, so yours was not taken. Please try again in an hour."
        ),
        Answer.CLOSED: gettext(
            "This form takes no sign-ups for a while, because far too many came at once. Please try again in an hour."
        ),
        Answer.NO_DOMAIN: gettext("The part after the @ takes no mail. Please check the spelling."),
    }
