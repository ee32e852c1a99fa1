"""PURE. Domains that look like a slip of the finger: gmial.com, gmail.con. What was meant, for the person to decide.

Called by forms.py and gate.py. Only the names of large mailbox providers are suggested; a domain that is one of them
is never doubted, and short names only where two letters changed places.
"""

from pathlib import Path

_DATA = Path(__file__).parent / "data"
#: Names shorter than this lie too near to other people's real domains.
_LONG = 5
_ENDINGS = {
    "con": "com", "cmo": "com", "ocm": "com", "comm": "com", "vom": "com", "xom": "com", "cim": "com", "coom": "com",
    "om": "com", "co": "com", "cm": "com", "nte": "net", "ner": "net", "met": "net", "ogr": "org", "orgg": "org",
    "ed": "de", "dee": "de", "frr": "fr", "itt": "it",
}  # fmt: skip


def domains_in(name: str) -> frozenset[str]:
    """The domains of a file in mailinglist/data: one a line, # begins a comment."""
    lines = (line.partition("#")[0].strip() for line in (_DATA / name).read_text().splitlines())
    return frozenset(line for line in lines if line)


#: Domains of large mailbox providers.
PROVIDERS = domains_in("mailbox_providers.txt")
_BY_LENGTH = {
    length: [known for known in PROVIDERS if len(known) == length] for length in set(map(len, PROVIDERS))
}


def suggestion(domain: str) -> str | None:
    """The provider's domain that ``domain`` (a lower-case A-label) was probably meant to be; None: no doubt."""
    if domain in PROVIDERS:
        return None
    name, _, ending = domain.rpartition(".")
    mended = f"{name}.{_ENDINGS.get(ending, ending)}"
    if mended in PROVIDERS:
        return mended
    lengths = range(len(mended) - 1, len(mended) + 2)
    near = [known for length in lengths for known in _BY_LENGTH.get(length, []) if _slip(mended, known)]
    return min(near, key=lambda known: (abs(len(known) - len(mended)), known)) if near else None


def _slip(typed: str, meant: str) -> bool:
    """One letter too many, too few, wrong, or two that changed places; in the name, not in its ending."""
    typed_name, _, typed_ending = typed.partition(".")
    name, _, ending = meant.partition(".")
    if typed_ending != ending or not name:
        return False
    if len(name) == len(typed_name):
        wrong = [at for at, pair in enumerate(zip(typed_name, name, strict=True)) if pair[0] != pair[1]]
        if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
            return typed_name[wrong[0]] == name[wrong[1]] and typed_name[wrong[1]] == name[wrong[0]]
        return len(wrong) == 1 and len(name) >= _LONG
    short, long = sorted((typed_name, name), key=len)
    if len(long) != len(short) + 1 or len(name) < _LONG:
        return False
    return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
