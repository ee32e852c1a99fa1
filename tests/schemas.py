"""Whether the squashed migrations make what those make that they replace.

    python -m tests.schemas             prints where they differ; exit status 1 if they do

Three databases on a server of its own: by the squashed migrations, by the old ones, and by old ones that went as far as a
release of before and were then updated. All that pg_dump writes is compared, and the rows that come along, but not the
order of a table's columns.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import unified_diff
from pathlib import Path
from unittest import mock

from script import embedded, processes
from script.binaries import postgres_bin
from script.postgres import Postgres

#: Where an installation may have stopped.
_RELEASE = (("mailinglist", "0029_erasure"), ("bounces", "0020_mail_and_queue"))


def main() -> int:
    import django

    with tempfile.TemporaryDirectory(prefix="mailinglist-schemas-") as folder:
        os.environ["MAILINGLIST_VAR"], os.environ["MAILINGLIST_MODE"] = folder, "local"
        os.environ["DJANGO_SETTINGS_MODULE"] = "mailinglist.settings"
        os.environ.pop("DATABASE_URL", None)
        server = Postgres(Path(folder), fsync="off")
        server.start()
        try:
            django.setup()
            return _compare(Path(folder))
        finally:
            server.stop()


def _compare(var: Path) -> int:
    _migrate("squashed")
    with only_old_migrations():
        _migrate("old")
        _migrate("updated", *_RELEASE)
    _migrate("updated")
    squashed, status = _dump("squashed", var), 0
    for name in ("old", "updated"):
        dump = _dump(name, var)
        lines = list(unified_diff(dump, squashed, name, "squashed", lineterm="", n=2))
        print(*lines or [f"{name}: {len(dump)} lines, the same"], sep="\n")
        status |= bool(lines)
    return status


@contextmanager
def only_old_migrations() -> Iterator[None]:
    """Meanwhile, Django does not see the squashed migrations."""
    from django.db.migrations.loader import MigrationLoader

    load = MigrationLoader.load_disk

    def load_disk(self: MigrationLoader) -> None:
        load(self)
        self.disk_migrations = {
            node: found for node, found in self.disk_migrations.items() if not found.replaces
        }

    with mock.patch.object(MigrationLoader, "load_disk", load_disk):
        yield


def _migrate(name: str, *stops: tuple[str, str]) -> None:
    """The database of this name, there or new, to ``stops`` or to the end."""
    from django.core.management import call_command
    from django.db import connection

    connection.settings_dict["NAME"] = embedded.NAME
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if not cursor.rowcount:
            cursor.execute(f"CREATE DATABASE {name}")
    connection.close()
    connection.settings_dict["NAME"] = name
    for stop in stops or ((),):
        call_command("migrate", *stop, "--noinput", verbosity=0)
    connection.close()


def _dump(name: str, var: Path) -> list[str]:
    command = [str(postgres_bin() / "pg_dump"), "-h", str(embedded.socket_dir(var)), "-U", embedded.NAME]
    rows = "--table=mailinglist_template"
    found = []
    for more in (("--schema-only",), ("--data-only", "--inserts", "--column-inserts", rows)):
        status, said, complaint = processes.output([*command, *more, name])
        if status:
            raise SystemExit(complaint)
        found.append(said)
    schema, data = found
    return [*_without_order(schema.splitlines()), *map(_without_time, data.splitlines())]


def _without_order(lines: list[str]) -> Iterator[str]:
    """Each CREATE TABLE with its lines sorted; without the keys of pg_dump, which are new each time."""
    columns: list[str] | None = None
    for line in lines:
        if line.startswith(("\\restrict", "\\unrestrict")):
            continue
        if columns is None:
            yield line
            columns = [] if line.startswith("CREATE TABLE ") else None
        elif line.startswith(")"):
            yield from sorted(columns)
            yield line
            columns = None
        else:
            columns.append(line.rstrip(","))


def _without_time(line: str) -> str:
    """Rows say when they were made."""
    if line.startswith(("\\restrict", "\\unrestrict")):
        return ""
    return re.sub(r"'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00'", "now", line)


if __name__ == "__main__":
    sys.exit(main())
