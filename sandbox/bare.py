"""The bare mode for benchmarks: accept, count, note in the ledger, answer. No events, no inbox, no checks.

Quota and rate hold as ever, and so do the switches of the account. Ledger lines are written in batches that
nobody waits for, with nothing but message id, recipient and time; ``GET /_sandbox/ledger`` waits for them.
Raw content is never decoded, so a mail needs a ``Destination``. Used by ``app.py`` in place of
``ses.send_email`` and ``ses.send_bulk_email``.
"""

import json
import time
from typing import Any

from aiohttp import web

from sandbox import acceptance, bulk
from sandbox.errors import SesError, bad_request
from sandbox.ledger import ledger_time
from sandbox.ses import SANDBOX, read_json
from sandbox.state import Sandbox


async def send_email(request: web.Request) -> web.Response:
    payload = await read_json(request)
    message_id = _accept(request.app[SANDBOX], payload)
    return web.Response(body=b'{"MessageId":"%b"}' % message_id.encode(), content_type="application/json")


async def send_bulk_email(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    entries = bulk.entries(await read_json(request))
    results = [_result(sandbox, entry) for entry in entries]
    return web.Response(body=json.dumps({"BulkEmailEntryResults": results}), content_type="application/json")


def _result(sandbox: Sandbox, entry: dict[str, Any]) -> dict[str, str]:
    try:
        return {"Status": "SUCCESS", "MessageId": _accept(sandbox, entry)}
    except SesError as error:
        sandbox.refused(error)
        return bulk.failed(error)


def _accept(sandbox: Sandbox, payload: Any) -> str:
    """Take the mail to the ``Destination`` of ``payload``; returns its id, raises SesError."""
    recipients = _recipients(payload)
    now, config = time.time(), sandbox.config
    acceptance.refuse_by_account(config)
    sandbox.limits.take(
        len(recipients), counted=acceptance.counted_for_quota(recipients), now=now, config=config
    )
    message_id = sandbox.ids.next(now)
    sandbox.stats.posts += 1
    sandbox.stats.accepted += 1
    sandbox.stats.recipients_accepted += len(recipients)
    at = ledger_time(now)
    sandbox.keep_soon(
        [{"message_id": message_id, "at": at, "recipient": recipient} for recipient in recipients]
    )
    return message_id


def _recipients(payload: Any) -> list[str]:
    destination = payload.get("Destination") if isinstance(payload, dict) else None
    if not isinstance(destination, dict):
        raise bad_request("Missing required field Destination.")
    lists = (destination.get(name) or () for name in ("ToAddresses", "CcAddresses", "BccAddresses"))
    recipients = [address for addresses in lists for address in addresses if isinstance(address, str)]
    if not recipients:
        raise bad_request("The message has no recipients.")
    return recipients
