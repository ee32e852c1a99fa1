"""What speaks against sending a campaign: what must be mended first, and what its manager should look at again.

Called by lifecycle before every start, and by the admin. Nothing is asked outside here: what link_checks.py and
sender_checks.py found when somebody asked them is only read.
"""

from contextlib import nullcontext, suppress
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from mailinglist import link_checks, merge, sender_checks, signs
from mailinglist.composing import advice, body, design
from mailinglist.composing.body import Written
from mailinglist.models import Campaign, MailingList
from mailinglist.segments import people
from mailinglist.sending import audience_preview
from mailinglist.sending.messages import VALUE_NAMES
from mailinglist.timeouts import TookTooLong, part, within

#: Gmail shows no more of a mail than this without a click, and hides the unsubscribe link with the rest.
CLIPPED_AT = 102 * 1024
_HAS_VALUES = """
    SELECT used.tag FROM unnest(%s::text[]) used(tag) WHERE EXISTS (
        SELECT 1 FROM mailinglist_subscription b JOIN mailinglist_subscriber s ON s.id = b.subscriber_id
        WHERE b.list_id = ANY(%s) AND s.attributes ? used.tag)"""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a campaign is not ready (blocking), or what its manager should know."""

    field: str
    message: str
    blocking: bool = True


def find(campaign: Campaign, *, counted: int | None = None, quick: bool = False) -> list[Problem]:
    """Everything that speaks against starting the campaign now; empty of blocking ones means it can start.

    ``counted``: how many people it reaches, where that has just been counted. ``quick``: for a page that must open at
    once; that nobody gets it may be missing, and whether somebody has a value is then told as not known yet.
    """
    lists = sorted(campaign.lists.all(), key=lambda one: one.pk)
    ids = [mailing_list.pk for mailing_list in lists]
    nobody, values = "", _Values(set(), _others(campaign))
    with suppress(TookTooLong), within(people.QUICK) if quick else nullcontext():
        nobody = audience_preview.trouble(campaign, quick=quick) if lists and not counted else ""
        values = _values(campaign, ids, quick=quick)
    found = [
        *_written_problems(campaign),
        *_list_problems(lists, nobody),
        *_sender_problems(lists),
        *_tag_problems(campaign, values),
    ]
    try:
        compiled = body.compile(campaign)
    except body.CannotCompile as bad:
        return [*found, *(Problem(bad.field, sentence) for sentence in bad.sentences)]
    found += _archive_problems(campaign, compiled, lists)
    for name, text in (("HTML", compiled.html), ("text", compiled.text)):
        if "unsubscribe_url" not in merge.tags(text):
            found.append(Problem("body", f"The {name} part has no unsubscribe link."))
    if len(compiled.html.encode()) > CLIPPED_AT:
        size = len(compiled.html.encode()) // 1024
        message = (
            f"The mail has {size} kB. Gmail cuts off what is over 102 kB, and with it the unsubscribe link."
        )
        found.append(Problem("body", message, blocking=False))
    found += [
        Problem("body", sentence, blocking=False)
        for sentence in advice.of_html(compiled.html, ours=settings.PUBLIC_URL)
    ]
    found += [
        Problem("body", sentence, blocking=False) for sentence in link_checks.broken(campaign, compiled.html)
    ]
    return found


def _written_problems(campaign: Written) -> list[Problem]:
    found = []
    if not campaign.subject.strip():
        found.append(Problem("subject", "Write a subject."))
    if signs.first_control(campaign.subject, one_line=True):
        found.append(Problem("subject", "Write the subject in one line, without control characters."))
    found += [
        Problem("subject", sentence, blocking=False) for sentence in advice.of_subject(campaign.subject)
    ]
    if not campaign.body.strip():
        found.append(Problem("body", "Write something: the body is empty."))
    return found


def _list_problems(lists: list[MailingList], nobody: str) -> list[Problem]:
    if not lists:
        return [Problem("lists", "Choose a list.")]
    found = []
    for mailing_list in lists:
        if not mailing_list.from_email:
            found.append(Problem("lists", f"The list “{mailing_list}” has no sender address."))
        heads = (mailing_list.name, mailing_list.from_name, mailing_list.reply_to)
        if any(signs.first_control(head, one_line=True) for head in heads):
            words = (
                "Write its name, sender name and reply address in one line each, without control characters."
            )
            found.append(Problem("lists", f"The list “{merge.one_line(mailing_list.name)}”: {words}"))
        if not mailing_list.postal_address.strip():
            found.append(Problem("lists", f"The list “{mailing_list}” has no postal address."))
    if nobody:
        found.append(Problem("lists", nobody))
    return found


def _sender_problems(lists: list[MailingList]) -> list[Problem]:
    found = sender_checks.findings(mailing_list.from_email for mailing_list in lists)
    return [Problem("lists", f"{finding.says} {finding.do}", finding.blocking) for finding in found]


def _archive_problems(campaign: Campaign, compiled: body.Compiled, lists: list[MailingList]) -> list[Problem]:
    if "archive_url" not in merge.tags(compiled.html + compiled.text):
        return []
    without = [found.name for found in lists if not (found.has_archive and campaign.in_archive)]
    return [
        Problem(
            "body",
            f"There is no public archive for this campaign on the list “{name}”: {{{{ archive_url }}}} is empty there.",
            blocking=False,
        )
        for name in without
    ]


def _texts(campaign: Written) -> dict[str, str]:
    """Field → what is written there and may hold merge tags."""
    return {
        "subject": campaign.subject,
        "preheader": campaign.preheader,
        "body": campaign.body,
        "template": design.own_tags(campaign.template.source) if campaign.template else "",
    }


@dataclass(frozen=True, slots=True)
class _Values:
    """Names of merge tags that subscribers of the lists have values for; ``unsure``: those that were sought too long."""

    known: set[str]
    unsure: set[str]


def _others(campaign: Written) -> set[str]:
    """The merge tags that are values of people."""
    return set().union(*map(merge.tags, _texts(campaign).values())) - VALUE_NAMES


def _values(campaign: Written, list_ids: list[int], *, quick: bool) -> _Values:
    others = _others(campaign)
    if not others:
        return _Values(set(), set())
    try:
        with part() if quick else nullcontext(), connection.cursor() as cursor:
            cursor.execute(_HAS_VALUES, [sorted(others), list_ids])
            return _Values({name for (name,) in cursor.fetchall()}, set())
    except TookTooLong:
        return _Values(set(), others)


def _tag_problems(campaign: Written, values: _Values) -> list[Problem]:
    found = []
    if values.unsure:
        names = ", ".join(f"{{{{ {name} }}}}" for name in sorted(values.unsure))
        says = (
            f"Not every subscriber could be looked at yet for a value of {names}. They are before the start."
        )
        found.append(Problem("body", says, blocking=False))
    for field, text in _texts(campaign).items():
        for tag in merge.unknown_tags(text, VALUE_NAMES | values.known | values.unsure):
            names = ", ".join(sorted(VALUE_NAMES))
            there_are = f"There are {names}, and the attributes of the list's subscribers."
            found.append(Problem(field, f"{merge.complaint(tag)} {there_are}"))
    return found
