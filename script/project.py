"""manage.py, asked by script/start: each call is a process of its own, and its last line may be JSON."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from script import processes
from script.environment import PROJECT, PYTHON
from script.errors import StartError

# The settings decide between local and production mode; asking them is the only way not to decide it twice.
_ASK_SETTINGS = (
    "import json; from django.conf import settings as s; from django.core.exceptions import ImproperlyConfigured\n"
    "try: print(json.dumps([s.LOCAL, s.PUBLIC_URL, s.SES_ENDPOINT_URL]))\n"
    "except ImproperlyConfigured as error: raise SystemExit(str(error))\n"
)


@dataclass(frozen=True)
class Settings:
    local: bool
    public_url: str
    ses_endpoint_url: str


def settings(environment: Mapping[str, str]) -> Settings:
    """What the project's settings say in this environment. Raises StartError with their complaint."""
    asked = {**environment, "DJANGO_SETTINGS_MODULE": "mailinglist.settings"}
    status, said, complaint = processes.output(
        [str(PYTHON), "-c", _ASK_SETTINGS], environment=asked, folder=PROJECT
    )
    if status:
        raise StartError(f"The settings are not usable. {cause(complaint)}")
    return Settings(*json.loads(_last(said)))


def probe(environment: Mapping[str, str]) -> None:
    """Ask the database and the broker that the environment names. Raises StartError when one does not answer."""
    if not any(environment.get(name, "").strip() for name in ("DATABASE_URL", "CELERY_BROKER_URL")):
        return
    asked = {**environment, "DJANGO_SETTINGS_MODULE": "mailinglist.settings"}
    status, _, complaint = processes.output(
        [str(PYTHON), "-m", "mailinglist.management.probe"], environment=asked, folder=PROJECT
    )
    if status:
        raise StartError(cause(complaint))


def manage(*arguments: str, environment: Mapping[str, str]) -> str:
    """Run manage.py with these arguments; what it printed. Raises StartError with what it complained about."""
    status, said, complaint = processes.output(
        [str(PYTHON), str(PROJECT / "manage.py"), *arguments], environment=environment, folder=PROJECT
    )
    if status and "Traceback (most recent call last)" in complaint:
        log = Path(environment["MAILINGLIST_VAR"]) / "log" / "manage.log"
        with log.open("a") as out:
            out.write(f"manage.py {' '.join(arguments)}\n{complaint}\n")
        raise StartError(f"manage.py {arguments[0]} failed: {cause(complaint)} More in {log}.")
    if status:
        raise StartError(f"manage.py {arguments[0]} failed:\n{complaint or said}")
    return said


def manage_json(*arguments: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """The JSON object that the command prints as its last line."""
    found: dict[str, Any] = json.loads(_last(manage(*arguments, "--json", environment=environment)))
    return found


def cause(complaint: str) -> str:
    """What a process complained about: all words of its last error, without the traceback before them."""
    _, traceback, after = complaint.rpartition("Traceback (most recent call last):\n")
    lines = after.strip("\n").splitlines()
    if traceback:
        lines = list(itertools.dropwhile(lambda line: line.startswith(" "), lines))
    return "\n".join(lines).strip()


def _last(text: str) -> str:
    return text.strip().rpartition("\n")[2]
