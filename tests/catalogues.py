"""What catalogues have to hold, and the tool that brings them up to date.

    python -m tests.catalogues          after a sentence was changed, or a translation was written
    python -m tests.catalogues pt_BR    to begin a new language

Collects every sentence that strangers see out of the sources, adds what is new to each django.po (empty, to be
translated), takes away what is gone, and writes the django.mo beside it, which is what runs. It needs no gettext on the
machine. Translations are never guessed: what is nearly the same stays to be written.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from string import ascii_letters

import django
import polib
from django.template import Engine
from django.template.base import Node, NodeList
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "mailinglist" / "locale"
_CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop"}
#: Staff pages and commands are in English.
_STAFF = ("mailinglist/admin/", "mailinglist/management/", "templates/admin/", "templates/unfold/")
_ARABIC = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
_OTHER_LETTERS = {ord(letter): _ARABIC[ord(letter.lower()) - ord("a")] for letter in ascii_letters}
#: msgid, msgid_plural ("" without).
Sentence = tuple[str, str]


def sentences() -> dict[Sentence, list[str]]:
    """Every sentence that can be translated → the files that it stands in."""
    found: dict[Sentence, list[str]] = {}
    for file in sorted([*(ROOT / "mailinglist").rglob("*.py"), *(ROOT / "templates").rglob("*.*")]):
        name = file.relative_to(ROOT).as_posix()
        if name.startswith(_STAFF):
            continue
        text = file.read_text()
        for sentence in _of_python(text) if file.suffix == ".py" else _of_template(text):
            places = found.setdefault(sentence, [])
            if name not in places:
                places.append(name)
    return found


def files() -> list[Path]:
    """All django.po of ours."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def key(entry: polib.POEntry) -> Sentence:
    return entry.msgid, entry.msgid_plural


def translations(entry: polib.POEntry) -> list[str]:
    """What stands for it: one text, or one for each plural form."""
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def update(file: Path) -> polib.POFile:
    """Make a django.po hold exactly the sentences of the sources, and write the django.mo beside it."""
    before = polib.pofile(str(file), wrapwidth=0) if file.exists() else polib.POFile()
    known = {key(entry): entry for entry in before if not entry.obsolete}
    after = polib.POFile(wrapwidth=0)
    after.metadata = before.metadata or _head(file.parent.parent.name)
    for (msgid, plural), places in sentences().items():
        entry = known.get((msgid, plural)) or polib.POEntry(msgid=msgid, msgid_plural=plural)
        if plural and not entry.msgstr_plural:
            entry.msgstr_plural = {0: "", 1: ""}
        entry.occurrences = [(place, "") for place in places]
        has_values = "%(" in msgid
        entry.flags = ["python-format"] if has_values else []
        after.append(entry)
    file.parent.mkdir(parents=True, exist_ok=True)
    after.save(str(file))
    after.save_as_mofile(str(file.with_suffix(".mo")))
    return after


def pseudo(folder: Path, language: str) -> None:
    """Write a made-up catalogue of a language: each letter of a sentence is one of the Arabic alphabet."""
    made = polib.POFile()
    made.metadata = _head(language)
    for msgid, plural in sentences():
        entry = polib.POEntry(msgid=msgid, msgid_plural=plural)
        if plural:
            entry.msgstr_plural = {0: _disguised(msgid), 1: _disguised(plural)}
        else:
            entry.msgstr = _disguised(msgid)
        made.append(entry)
    file = folder / language / "LC_MESSAGES" / "django.mo"
    file.parent.mkdir(parents=True)
    made.save_as_mofile(str(file))


def _disguised(sentence: str) -> str:
    """The letters outside values and tags in another alphabet."""
    parts = re.split(r"(%\(\w+\)s|<[^>]*>)", sentence)
    return "".join(part if at % 2 else part.translate(_OTHER_LETTERS) for at, part in enumerate(parts))


def _head(language: str) -> dict[str, str]:
    return {
        "Project-Id-Version": "mailinglist",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }


def _of_python(text: str) -> Iterator[Sentence]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value, ""


def _of_template(text: str) -> Iterator[Sentence]:
    for node in _nodes(Engine.get_default().from_string(text).nodelist):
        if isinstance(node, TranslateNode):
            yield str(node.filter_expression.var.literal), ""
        elif isinstance(node, BlockTranslateNode):
            one, _ = node.render_token_list(node.singular)
            several = node.render_token_list(node.plural)[0] if node.plural else ""
            yield one, several


def _nodes(found: NodeList) -> Iterator[Node]:
    for node in found:
        yield node
        for name in (*getattr(node, "child_nodelists", ()), "nodelist"):
            yield from _nodes(getattr(node, name, None) or NodeList())
        for _, inside in getattr(node, "conditions_nodelists", ()):
            yield from _nodes(inside)


def main(arguments: list[str]) -> None:
    django.setup()
    for file in [*files(), *(LOCALE / name / "LC_MESSAGES/django.po" for name in arguments)]:
        after = update(file)
        missing = sum("" in translations(entry) for entry in after)
        print(f"{file.relative_to(ROOT)}: {len(after)} sentences, {missing} to be translated")


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    main(sys.argv[1:])
