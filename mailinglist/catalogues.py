"""Which languages there are: those with a catalogue, in this project or in a folder of the installation's own.

Called by settings.py alone. A catalogue is a file <folder>/<language>/LC_MESSAGES/django.mo.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured

#: The language that the texts are written in, so it needs no catalogue.
SOURCE = "en"
OURS = Path(__file__).parent / "locale"


def offered(folders: Iterable[Path], wanted: Sequence[str] = ()) -> list[tuple[str, str]]:
    """(code, name in its own words) of English and of all that have a catalogue, or of those ``wanted``.

    Raises ImproperlyConfigured for one that is wanted and has none.
    """
    found = {SOURCE}
    for folder in folders:
        found.update(_code(file.parent.parent.name) for file in folder.glob("*/LC_MESSAGES/django.mo"))
    chosen = {code.lower().replace("_", "-") for code in wanted} or found
    if missing := sorted(chosen - found):
        raise ImproperlyConfigured(
            f"LANGUAGES names {', '.join(missing)}, without a catalogue. There are: {', '.join(sorted(found))}."
        )
    return [
        (code, _name(code)) for code in sorted(chosen | {SOURCE}, key=lambda code: (code != SOURCE, code))
    ]


def _code(folder: str) -> str:
    """pt_BR → pt-br, as browsers and Django write it."""
    return folder.replace("_", "-").lower()


def _name(code: str) -> str:
    name = str(LANG_INFO.get(code, {}).get("name_local", code))
    return name[:1].upper() + name[1:]
