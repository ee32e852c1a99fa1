"""manage.py bounce_doctor [--self-test] [--timeout SECONDS] [--json]"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError

from bounces import doctor, self_test
from bounces.doctor import Finding, Level

_MARKS = {Level.GREEN: "  ok  ", Level.AMBER: "LOOK  ", Level.RED: "MEND  "}


class Command(BaseCommand):
    help = (
        "Say whether bounces can come back and are acted on: settings, account, senders, configuration sets, "
        "events, queue, incidents, reputation. Exit status 0: all green or amber; 1: something is red. "
        "Example: manage.py bounce_doctor --self-test"
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--self-test",
            action="store_true",
            help="Also mail SES's simulator and wait for what comes back. Needs a worker and a campaign.",
        )
        parser.add_argument(
            "--timeout", type=float, default=60, metavar="SECONDS", help="How long the self-test waits (60)."
        )
        parser.add_argument("--json", action="store_true", help="Print the findings as one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["timeout"] <= 3600:
            raise CommandError("--timeout: write 1 to 3600 seconds.", returncode=2)
        findings = doctor.examine()
        if options["self_test"]:
            findings += _self_test(options["timeout"])
        level = doctor.worst(findings)
        if options["json"]:
            found = [finding.as_dict() for finding in findings]
            self.stdout.write(json.dumps({"level": level.value, "findings": found}))
        else:
            self._print(findings)
        if level == Level.RED:
            raise SystemExit(1)

    def _print(self, findings: list[Finding]) -> None:
        for finding in findings:
            self.stdout.write(f"{_MARKS[finding.level]}{finding.part}: {finding.says}")
            if finding.do:
                self.stdout.write(f"      → {finding.do}")


def _self_test(timeout: float) -> list[Finding]:
    try:
        return self_test.run(timeout=timeout)
    except self_test.CannotTest as error:
        return [Finding(self_test.PART, Level.RED, str(error))]
    except DatabaseError:
        return [Finding(self_test.PART, Level.RED, "The database does not answer.", "Start PostgreSQL.")]
