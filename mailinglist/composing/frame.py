"""The words around a campaign: why people get it, and the links to leave. In the language of the list.

A campaign is compiled once and may go to several lists, so its frame holds merge tags in place of these words, as it
does for the sender. What the manager wrote is in the list's language; our words are so where there is a catalogue of
it, and in English otherwise. Called by body.py, which writes the tags, and by sending/messages.py, which knows the list.
"""

from django.conf import settings
from django.utils.translation import gettext

from mailinglist import languages
from mailinglist.models import MailingList

#: The end of the text part.
TEXT = """
--
{{ frame_reason }}
{{ frame_unsubscribe }}: {{ unsubscribe_url }}
{{ frame_preferences }}: {{ preferences_url }}
{{ sender_name }}, {{ postal_address }}
"""


def words(mailing_list: MailingList) -> dict[str, str]:
    """The values of the frame's merge tags; no campaign can use these names for anything else."""
    from_the_right = _is_from_the_right(mailing_list.language)
    with languages.spoken(mailing_list.language) as language:
        return {
            "frame_language": mailing_list.language,
            "frame_direction": "rtl" if from_the_right else "ltr",
            "frame_side": "right" if from_the_right else "left",
            "frame_words_language": language,
            "frame_words_direction": "rtl" if _is_from_the_right(language) else "ltr",
            "frame_reason": gettext("You get this mail because you subscribed to %(list)s.")
            % {"list": mailing_list.name},
            "frame_unsubscribe": gettext("Unsubscribe"),
            "frame_preferences": gettext("Your subscriptions"),
        }


def _is_from_the_right(language: str) -> bool:
    return language.partition("-")[0].lower() in settings.LANGUAGES_BIDI
