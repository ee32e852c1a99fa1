"""Every catalogue says all that the sources say, in its own language, with the same values in it."""

import re
from pathlib import Path

import polib
import pytest
from django.core.exceptions import ImproperlyConfigured

from mailinglist import catalogues as offered
from tests import catalogues

FILES = catalogues.files()
VALUE = re.compile(r"%\(\w+\)[sd]")
TAG = re.compile(r"</?[a-z]+")
NAMES = [file.parent.parent.name for file in FILES]


@pytest.fixture(params=FILES, ids=NAMES)
def file(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_german_is_among_them() -> None:
    assert "de" in NAMES


def test_a_catalogue_holds_what_the_sources_say_and_no_more(file: Path) -> None:
    """When this fails: python -m tests.catalogues"""
    held = {catalogues.key(entry) for entry in polib.pofile(str(file))}
    wanted = set(catalogues.sentences())
    assert held - wanted == set(), "gone from the sources"
    assert wanted - held == set(), "new in the sources"


def test_nothing_is_untranslated_or_uncertain(file: Path) -> None:
    open_ones = [
        entry.msgid
        for entry in polib.pofile(str(file))
        if entry.fuzzy or entry.obsolete or not all(catalogues.translations(entry))
    ]
    assert open_ones == []


def test_the_compiled_file_says_the_same(file: Path) -> None:
    """When this fails: python -m tests.catalogues"""
    written = {catalogues.key(entry): catalogues.translations(entry) for entry in polib.pofile(str(file))}
    compiled = {
        catalogues.key(entry): catalogues.translations(entry)
        for entry in polib.mofile(str(file.with_suffix(".mo")))
    }
    assert compiled == written


def test_values_and_tags_of_a_sentence_are_those_of_its_translation(file: Path) -> None:
    for entry in polib.pofile(str(file)):
        source = entry.msgid_plural or entry.msgid
        for said in catalogues.translations(entry)[-1:]:
            for pattern in (VALUE, TAG):
                assert sorted(pattern.findall(said)) == sorted(pattern.findall(source)), entry.msgid


def test_german_is_polite_and_has_its_own_signs() -> None:
    for entry in polib.pofile(str(catalogues.LOCALE / "de/LC_MESSAGES/django.po")):
        for said in catalogues.translations(entry):
            assert not re.search(r"[“”]\w|\b(du|dich|dir|dein\w*|euch|euer)\b", said), said
            assert said.count("„") == said.count("“") and "..." not in said and " - " not in said, said
            assert '"' not in said or "{" in said or "<a" in said, said


def test_texts_of_python_and_of_templates_are_collected() -> None:
    found = catalogues.sentences()
    assert found["The address has no @ sign.", ""] == ["mailinglist/addresses.py"]
    assert "templates/mailinglist/public/_pause.html" in found["%(days)s day", "%(days)s days"]
    assert "templates/base_public.html" in found["About %(name)s", ""]
    assert not any("admin" in place for places in found.values() for place in places)


def test_no_template_says_anything_outside_the_catalogues() -> None:
    """Letters between tags, in what strangers see, that no catalogue holds."""
    for file in sorted((catalogues.ROOT / "templates").rglob("*.html")):
        name = file.relative_to(catalogues.ROOT).as_posix()
        if name.startswith(("templates/admin", "templates/unfold")):
            continue
        text = re.sub(r"{% blocktranslate.*?endblocktranslate %}|{#.*?#}", "", file.read_text(), flags=re.S)
        text = re.sub(r"<style>.*?</style>", "", text, flags=re.S)
        bare = re.sub(r"{%.*?%}|{{.*?}}|<[^>]*>", " ", text, flags=re.S)
        assert not re.search(r"[A-Za-z]{2,}", bare), (name, bare.split())


def compiled(folder: Path, language: str) -> None:
    place = folder / language / "LC_MESSAGES"
    place.mkdir(parents=True)
    polib.POFile().save_as_mofile(str(place / "django.mo"))


def test_every_folder_with_a_catalogue_is_a_language_under_its_own_name(tmp_path: Path) -> None:
    for language in ("fr", "pt_BR", "tlh"):
        compiled(tmp_path, language)
    (tmp_path / "es" / "LC_MESSAGES").mkdir(parents=True)
    assert offered.offered([tmp_path]) == [
        ("en", "English"),
        ("fr", "Français"),
        ("pt-br", "Português Brasileiro"),
        ("tlh", "Tlh"),
    ]


def test_a_choice_leaves_others_out_and_keeps_english(tmp_path: Path) -> None:
    for language in ("fr", "de"):
        compiled(tmp_path, language)
    assert offered.offered([tmp_path], ["fr"]) == [("en", "English"), ("fr", "Français")]


def test_a_language_without_a_catalogue_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"names fr, without a catalogue. There are: en\."):
        offered.offered([tmp_path], ["fr"])
