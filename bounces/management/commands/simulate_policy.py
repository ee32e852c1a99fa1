"""manage.py simulate_policy --list LIST [--set key=value …] [--json]"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bounces import whatif
from bounces.management.commands.cleanup_bounces import list_id
from bounces.management.progress import Progress
from mailinglist.models import MailingList


class Command(BaseCommand):
    help = (
        f"Replay the bounces of the last {whatif.DAYS} days under another policy: who would have been kept, who "
        "dropped. Changes nothing. Example: manage.py simulate_policy --list news --set hold_hours=12 "
        "--set soft_retry_days=1,3,7"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--list", required=True, metavar="LIST", help="The list (its short name).")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            dest="changes",
            metavar="KEY=VALUE",
            help=f"Change one number of the list's policy: {', '.join(whatif.FIELDS)}. May be given again.",
        )
        parser.add_argument("--json", action="store_true", help="Print the comparison as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        mailing_list = MailingList.objects.get(pk=list_id(options["list"]) or 0)
        try:
            proposed = whatif.changed(whatif.current(mailing_list), options["changes"])
        except whatif.BadSetting as error:
            raise CommandError(f"--set {error}", returncode=2) from error
        progress = Progress(self.stderr)
        try:
            found = whatif.compare(
                mailing_list,
                proposed,
                progress=lambda so_far: progress.show(f"{so_far.people} people, {so_far.events} bounces"),
            )
        finally:
            progress.end()
        if options["json"]:
            self.stdout.write(json.dumps(found.as_dict()))
            return
        self.stdout.write(
            f"{found.people} people whose mails bounced in {whatif.DAYS} days ({found.events} reports): the present "
            f"policy ends {found.ended_now} of them, the other one {found.ended_then}."
        )
        self._names("Kept by the other one", found.kept, found.kept_names)
        self._names("Dropped by the other one", found.dropped, found.dropped_names)

    def _names(self, title: str, count: int, fates: list[whatif.Fate]) -> None:
        self.stdout.write(f"\n{title}: {count}")
        for fate in fates:
            self.stdout.write(f"  {fate.email}  {fate.why}")
        if count > len(fates):
            self.stdout.write(f"  … and {count - len(fates)} more")
