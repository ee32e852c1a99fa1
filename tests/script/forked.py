"""Python scripts as processes of their own that find all libraries imported, which is most of the start of manage.py."""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.faults.nursery import LIBRARIES

_processes = multiprocessing.get_context("forkserver")


def run(
    script: Path, arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path | None, words: str
) -> subprocess.CompletedProcess[str]:
    """Run it to its end with ``words`` on stdin, in an environment and a folder of its own."""
    _processes.set_forkserver_preload([*LIBRARIES, __name__])
    with tempfile.TemporaryDirectory() as place:
        files = [Path(place) / name for name in ("in", "out", "errors")]
        files[0].write_text(words)
        files[1].touch()
        files[2].touch()
        child = _processes.Process(
            target=_script,
            args=(str(script), list(arguments), dict(environment), str(folder or Path.cwd()), files),
        )
        child.start()
        child.join()
        assert child.exitcode is not None
        return subprocess.CompletedProcess(
            [str(script), *arguments], child.exitcode, files[1].read_text(), files[2].read_text()
        )


def _script(
    script: str, arguments: list[str], environment: dict[str, str], folder: str, files: list[Path]
) -> None:
    for number, (file, flags) in enumerate(zip(files, (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY), strict=True)):
        os.dup2(os.open(file, flags), number)
    sys.stdin = os.fdopen(0, closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")
