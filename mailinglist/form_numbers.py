"""What became of the sign-ups of one form in the last day, for the manager. Reads only; nobody is named."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailinglist import form_steps, sign_up_counts
from mailinglist.gate import Answer, answer_key
from mailinglist.models import FormStep, SignUpCount

DAY = timedelta(days=1)
_WORDS = {
    Answer.ADMIT: ("Let through", "Of these, whoever was subscribed already or is suppressed got no mail."),
    Answer.ADDRESS: (
        "One address asked for again",
        "It got no further mail: it has not answered the one before.",
    ),
    Answer.NETWORK: ("Too many from one network", "They saw the usual answer. Nothing was mailed or stored."),
    Answer.DOMAIN: ("Too many for one domain", "They saw the usual answer. Nothing was mailed or stored."),
    Answer.TRAP: ("Programs in the trap", "They filled in a field that people do not see."),
    Answer.TOO_QUICK: ("Sent too quickly", "They were asked to press the button once more."),
    Answer.NO_STAMP: (
        "Sent without our form",
        "Or from a page that was open for days. Asked to press once more.",
    ),
    Answer.NO_DOMAIN: ("Domain takes no mail", "They were asked to check the spelling."),
    Answer.CAPTCHA: ("Asked for a captcha", "They brought none, or one that was used before."),
    Answer.FULL: ("Too many on this form", "They were asked to come again in an hour."),
    Answer.CLOSED: ("While the form was closed", "They were asked to come again in an hour."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of answer: what it is called, what it means, how often it was given in the last day."""

    label: str
    meaning: str
    count: int


@dataclass(frozen=True, slots=True)
class FormNumbers:
    """``step``: how far the form has closed itself; ``row``: since when, until when; None where it never did."""

    step: FormStep.Step
    row: FormStep | None
    lines: list[Line]

    @property
    def held_back(self) -> int:
        """Sign-ups of the last day that nothing came of, those of one address asked for again included."""
        return sum(line.count for line in self.lines[1:])


def of(list_id: int, *, now: datetime) -> FormNumbers:
    """The numbers of a list's form."""
    row = form_steps.of(list_id)
    keys = {answer_key(list_id, answer): answer for answer in _WORDS}
    found = sign_up_counts.totals(SignUpCount.Scope.ANSWER, keys, since=now - DAY)
    counts = {answer: found.get(key, 0) for key, answer in keys.items()}
    # Of those that the gate let through, some were held back when the address was looked at.
    through = sign_up_counts.passed(SignUpCount.Scope.FORM, str(list_id), since=now - DAY)
    counts[Answer.ADMIT] = through - counts[Answer.ADDRESS]
    lines = [Line(*_WORDS[answer], count=max(0, counts[answer])) for answer in _WORDS]
    return FormNumbers(step=form_steps.current(row, now=now), row=row, lines=lines)
