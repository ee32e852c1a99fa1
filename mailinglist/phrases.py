"""PURE. Marks sentences of modules that know no framework, so that catalogues can hold them.

The module keeps the English sentence; who shows it to a visitor passes it through Django's gettext.
"""


def gettext_noop(sentence: str) -> str:
    """The sentence itself. tests/catalogues.py, and Django's makemessages, collect what stands in such calls."""
    return sentence
