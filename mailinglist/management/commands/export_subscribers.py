"""manage.py export_subscribers: the subscribers of a list as a CSV file."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand, CommandError

from mailinglist import exports
from mailinglist.management.commands.import_subscribers import find_list
from mailinglist.models import MailingList, Subscription


class Command(BaseCommand):
    help = "Write the subscribers of a list as CSV (UTF-8), with status, consent and attributes."
    epilog = """examples:
  manage.py export_subscribers news -o news.csv
  manage.py export_subscribers news --status confirmed > confirmed.csv

A value that a spreadsheet could run as a formula (it begins with = + - @) gets a leading '; an import takes
it away.

exit status: 0 written, 1 it could not be written, 2 wrong arguments"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = self.epilog
        parser.add_argument("list", help="the list's short name, as in its address")
        parser.add_argument(
            "--status",
            action="append",
            choices=Subscription.Status.values,
            help="only these; may be given several times (default: all)",
        )
        parser.add_argument(
            "-o", "--output", metavar="FILE.csv", type=Path, help="default: the standard output"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        mailing_list, output = find_list(options["list"]), options["output"]
        if output is None:
            exports.export_csv(mailing_list.pk, cast(TextIO, self.stdout), statuses=options["status"])
            return
        if output.is_dir():
            raise CommandError(f"{output} is a folder; name a file in it.", returncode=2)
        try:
            count = self._to_file(mailing_list, options["status"], output)
        except OSError as error:
            raise CommandError(f"{output}: {error.strerror}.") from error
        self.stderr.write(f"{count:,} subscribers written to {output}")

    def _to_file(self, mailing_list: MailingList, statuses: list[str] | None, output: Path) -> int:
        """Written beside the file and moved there at the end: half an export never looks like a whole one."""
        partial = output.with_name(output.name + ".part")
        try:
            with partial.open("w", newline="", encoding="utf-8") as out:
                count = exports.export_csv(mailing_list.pk, out, statuses=statuses)
            partial.replace(output)
        finally:
            partial.unlink(missing_ok=True)
        return count
