"""manage.py send_campaign: start a campaign, and with --wait see it through."""

import json
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mailinglist import lifecycle, reports, tasks
from mailinglist.changes import Actor, Kind
from mailinglist.management import named
from mailinglist.models import Campaign
from mailinglist.sending import engine

Status = Campaign.Status


class Command(BaseCommand):
    help = "Start a campaign now. A scheduled one waits for its time unless --now is given."
    epilog = """examples:
  manage.py send_campaign 7                start it; workers send
  manage.py send_campaign 7 --wait --json  send it here too, until nothing is left to send; print the report

exit status: 0 started (with --wait: sent), 1 it cannot start or was stopped, 2 wrong arguments or no such campaign"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = self.epilog
        parser.add_argument("id", type=int, help="number of the campaign (in the address of its admin page)")
        parser.add_argument("--now", action="store_true", help="start a scheduled campaign before its time")
        parser.add_argument("--wait", action="store_true", help="send in this process too, until all is sent")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign_id, as_json = options["id"], options["json"]
        self._start(campaign_id, now=options["now"])
        if options["wait"]:
            self._see_through(campaign_id, quiet=as_json)
        report = reports.campaign_report(campaign_id)
        status = Campaign.objects.get(pk=campaign_id).status
        if as_json:
            self.stdout.write(json.dumps({"campaign": campaign_id, "status": status, **report}))
        else:
            states = ", ".join(f"{count} {state}" for state, count in report["by_state"].items() if count)
            self.stdout.write(
                f"Campaign {campaign_id} is {status}: {report['recipients']} recipients, {states}."
            )

    def _start(self, campaign_id: int, *, now: bool) -> None:
        campaign = named.campaign(campaign_id)
        if campaign.status == Status.SCHEDULED and not now:
            raise CommandError(
                f"Campaign {campaign_id} is scheduled for {campaign.scheduled_at:%Y-%m-%d %H:%M} UTC. "
                "Add --now to start it before."
            )
        if campaign.status == Status.PAUSED:
            raise CommandError(
                f"Campaign {campaign_id} is paused: {campaign.status_detail} Resume it in the admin first."
            )
        try:
            lifecycle.start(campaign_id, by=Actor(Kind.COMMAND, evidence={"command": "send_campaign"}))
        except (lifecycle.CampaignNotReady, lifecycle.NotAllowed) as error:
            raise CommandError(f"Campaign {campaign_id} cannot start. {error}") from error

    def _see_through(self, campaign_id: int, *, quiet: bool) -> None:
        while True:
            result = engine.run(campaign_id, seconds=2)
            lifecycle.settle(campaign_id, result)
            tasks.tidy()
            campaign = Campaign.objects.get(pk=campaign_id)
            if self.stderr.isatty() and not quiet:
                self._progress(campaign_id)
            if campaign.status == Status.PAUSED:
                raise CommandError(f"Campaign {campaign_id} was paused: {campaign.status_detail}")
            if campaign.status != Status.SENDING:
                return
            time.sleep(min(1.0, result.after_seconds) if isinstance(result, engine.More) else 1.0)

    def _progress(self, campaign_id: int) -> None:
        by_state = reports.campaign_report(campaign_id)["by_state"]
        states = " · ".join(f"{state} {count}" for state, count in by_state.items() if count)
        self.stderr.write(f"\r\033[K{states}", ending="")
        self.stderr.flush()
