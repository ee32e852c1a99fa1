"""The lists that strangers can sign up for, as their pages read them: with the step of the form, in one look.

Called by the public views. Read anew for each page, so that what a manager changes holds at once.
"""

from functools import cache

from mailinglist import hot_rows
from mailinglist.models import FormStep, MailingList


def find(slug: str) -> MailingList | None:
    """The public list of that name; None where there is none. ``form_steps.seen_with`` knows the step of its form."""
    values = hot_rows.fetch_one(_statement(), [slug])
    if values is None:
        return None
    mailing_list, step = hot_rows.built([MailingList, FormStep], values)
    MailingList._meta.get_field("form_step").set_cached_value(mailing_list, step)
    found: MailingList = mailing_list
    return found


@cache
def _statement() -> str:
    columns = f"{hot_rows.columns(MailingList, 'l')}, {hot_rows.columns(FormStep, 'f')}"
    return (
        f"SELECT {columns} FROM mailinglist_mailinglist l "  # noqa: S608 - names of columns
        "LEFT JOIN mailinglist_formstep f ON f.list_id = l.id WHERE l.slug = %s::varchar AND l.is_public"
    )
