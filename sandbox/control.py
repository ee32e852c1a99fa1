"""The sandbox's own calls under ``/_sandbox/``: switches, counters, the ledger. JSON in and out.

======================= ===========================================================================
``GET config``          the running configuration (``faults.Config``)
``POST config``         merge a JSON object into it; 400 with a sentence when it is not understood
``POST reset``          everything as at the first start: configuration, ledger, inbox, counters
``POST release``        push the events that are held back (``pushes`` is ``on`` afterwards)
``GET stats``           counters since the start or the last reset
``GET pushes``          how many events are open, and why
``GET ledger``          JSON lines; ``?recipient=`` and ``?since=`` (ISO 8601) narrow them down
``GET health``          200 when the process serves; the header X-Process is its number
======================= ===========================================================================
"""

import asyncio
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox import faults
from sandbox.errors import SesError
from sandbox.faults import ConfigError
from sandbox.ses import SANDBOX, read_json


async def get_config(request: web.Request) -> web.Response:
    return web.json_response(faults.as_json(request.app[SANDBOX].config))


async def post_config(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    try:
        sandbox.change(faults.merge(sandbox.config, await read_json(request)))
    except (ConfigError, SesError) as error:
        return _refused(str(error))
    return web.json_response(faults.as_json(sandbox.config))


async def post_reset(request: web.Request) -> web.Response:
    await request.app[SANDBOX].reset()
    return web.json_response({"reset": True})


async def post_release(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    sandbox.change(replace(sandbox.config, pushes="on"))
    return web.json_response(sandbox.pushes.as_json())


async def get_stats(request: web.Request) -> web.Response:
    return web.json_response(request.app[SANDBOX].stats.as_json())


async def get_pushes(request: web.Request) -> web.Response:
    return web.json_response(request.app[SANDBOX].pushes.as_json())


async def get_health(request: web.Request) -> web.Response:
    return web.json_response(
        {"ok": True, "confirmed": request.app[SANDBOX].subscription.confirmed},
        headers={"X-Process": str(os.getpid())},
    )


async def get_ledger(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    recipient = request.query.get("recipient", "")
    try:
        since = _since(request.query.get("since", ""))
    except ValueError:
        return _refused("since: expected a time in ISO 8601, such as 2026-11-25T12:00:00Z.")
    await sandbox.written()

    def lines() -> str:
        entries = sandbox.ledger.read(recipient=recipient, since=since)
        return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)

    return web.Response(text=await asyncio.to_thread(lines), content_type="application/x-ndjson")


def _since(text: str) -> datetime | None:
    if not text:
        return None
    # An unescaped + of a time zone arrives as a space.
    moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _refused(message: str) -> web.Response:
    answer: dict[str, Any] = {"error": message}
    return web.json_response(answer, status=400)
