"""Makes ``.venv`` and installs the locked requirements into it. Called by script/start and script/test.

Guarantees: nothing outside ``.venv`` is changed (so a distribution's locked-down pip is no obstacle); a
second call with the same requirements does nothing; two calls at once wait for each other.
"""

import fcntl
import hashlib
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path

from script import processes
from script.errors import StartError

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"


def ensure(*files: str, say: Callable[[str], None]) -> Path:
    """Install each named requirements file of the project where it changed since; the interpreter to use.
    ``say`` gets a sentence for what takes time.

    Raises StartError with what to install or to read.
    """
    # The lock is on the file that everybody reads, so that it holds for every checkout and every var folder.
    with (PROJECT / files[0]).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _works():
            _make(say)
        for file in files:
            _install(file, say)
    return PYTHON


def _works() -> bool:
    """Whether .venv is there and its interpreter still is (a copied or upgraded one may be gone)."""
    if not can_use(PYTHON):
        return False
    status, said, _ = processes.output([str(PYTHON), "-c", "import sys; print(sys.prefix)"])
    return status == 0 and Path(said).resolve() == VENV.resolve()


def can_use(python: Path) -> bool:
    """Whether that interpreter is there. Raises StartError when it is another user's, who lets nobody in."""
    try:
        if not python.exists():
            return False
    except PermissionError:
        pass
    else:
        if os.access(python, os.X_OK):
            return True
    raise StartError(
        f"The Python of {python.parent.parent} may not be used by this user: it was made by another one. Remove that "
        "folder and run script/start, which makes it anew."
    )


def _base_python() -> str:
    """The interpreter below a virtual environment: the one that has pip."""
    return str(getattr(sys, "_base_executable", "") or sys.executable)


def _make(say: Callable[[str], None]) -> None:
    say("Making .venv …")
    for folder in (PROJECT, VENV):
        if folder.exists() and not os.access(folder, os.W_OK):
            raise StartError(
                f"{folder} belongs to another user, so .venv cannot be made there. Start as that user, or make the "
                "project this user's own."
            )
    status, said, complaint = processes.output(
        [_base_python(), "-m", "venv", "--without-pip", "--clear", str(VENV)]
    )
    if status:
        raise StartError(
            f"python -m venv failed: {complaint or said} "
            "On Debian and Ubuntu install the package python3-venv."
        )


def _install(file: str, say: Callable[[str], None]) -> None:
    wanted = hashlib.sha256((PROJECT / file).read_bytes()).hexdigest()
    stamp = VENV / f"{file}.sha256"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    base = _base_python()
    has_pip = base != sys.executable or importlib.util.find_spec("pip") is not None
    if has_pip:
        has_pip = processes.output([base, "-m", "pip", "--version"])[0] == 0
    if not has_pip:
        raise StartError(
            f"{base} has no pip. Install it: on Debian and Ubuntu `apt install python3-pip`, on Fedora "
            "`dnf install python3-pip`, elsewhere `python3 -m ensurepip --user`."
        )
    say(f"Installing {file} into .venv (the first time takes a minute) …")
    environment = {name: value for name, value in os.environ.items() if name not in _UNWANTED}
    status, said, complaint = processes.output(
        [base, "-m", "pip", "--python", str(PYTHON), "--disable-pip-version-check", "install", "--quiet",
         "--no-input", "--require-hashes", "-r", str(PROJECT / file)],
        environment=environment,
        folder=PROJECT,
    )  # fmt: skip
    if status:
        raise StartError(
            f"{said}\n{complaint}\npip could not install {file}; its messages are above. It needs pip 22.3 or newer "
            "and a way to the package index (or PIP_INDEX_URL, PIP_FIND_LINKS)."
        )
    stamp.write_text(wanted)


#: pip's own switches that make an install into a given environment fail.
_UNWANTED = ("PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_TARGET", "PIP_PREFIX", "PYTHONHOME", "PYTHONPATH")
