"""The SESv2 calls over HTTP: send, send in bulk, account, identity, suppression list.

``app.py`` routes here. A handler reads the request, lets ``state.py`` decide and keep, and answers in SES's
shapes; a SesError that it raises becomes the answer. Faults around a call (latency, resets, 500, hanging)
are played here.
"""

import asyncio
import base64
import binascii
import json
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from sandbox import acceptance, bulk, mails
from sandbox.acceptance import Accepted
from sandbox.errors import SesError, bad_request
from sandbox.mails import Mail
from sandbox.outcomes import rule_for, seconds_until_accepted
from sandbox.state import Sandbox
from sandbox.suppression import REASONS, Suppressed

SANDBOX: web.AppKey[Sandbox] = web.AppKey("sandbox", Sandbox)
MAX_PAGE = 1_000
INTERNAL = SesError("InternalServiceErrorException", "Internal service error.")


async def send_email(request: web.Request) -> web.StreamResponse:
    """SendEmail: Raw or Simple content."""
    sandbox = request.app[SANDBOX]
    mail = mails.from_request(await read_json(request))
    nth_post = sandbox.stats.posted(mail)
    recipient = mail.recipients[0]
    if await _reset_before(request, recipient, nth_post):
        return reset(request)
    if acceptance.happens(sandbox.config, "error_500_before", recipient, nth_post):
        sandbox.stats.faults["error_500_before"] += 1
        raise INTERNAL
    accepted = sandbox.admit(mail, source_ip=request.remote or "", operation="SendEmail")
    await sandbox.keep(accepted)
    return await _answer_after(request, recipient, nth_post, {"MessageId": accepted.message_id})


async def send_bulk_email(request: web.Request) -> web.StreamResponse:
    """SendBulkEmail: one result per entry, in the order of the entries.

    Latency, resets and all that happens after acceptance concern the call and are drawn for its first
    recipient; a 500 before acceptance fails one entry.
    """
    sandbox = request.app[SANDBOX]
    payload = await read_json(request)
    entries = bulk.entries(payload)
    posted = [_post_entry(sandbox, payload, entry) for entry in entries]
    first = next(((one[0].recipients[0], one[1]) for one in posted if isinstance(one, tuple)), ("", 0))
    if await _reset_before(request, *first):
        return reset(request)
    admitted = [
        _admit_entry(sandbox, *one, source_ip=request.remote or "") if isinstance(one, tuple) else one
        for one in posted
    ]
    await asyncio.gather(*(sandbox.keep(one) for one in admitted if isinstance(one, Accepted)))
    results = [
        {"Status": "SUCCESS", "MessageId": one.message_id} if isinstance(one, Accepted) else one
        for one in admitted
    ]
    return await _answer_after(request, *first, {"BulkEmailEntryResults": results})


async def get_account(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    config = sandbox.config
    return web.json_response(
        {
            "DedicatedIpAutoWarmupEnabled": False,
            "EnforcementStatus": "SHUTDOWN" if config.account_suspended else "HEALTHY",
            "ProductionAccessEnabled": True,
            "SendQuota": {
                "Max24HourSend": config.quota,
                "MaxSendRate": config.told_send_rate or config.max_send_rate,
                "SentLast24Hours": float(sandbox.limits.sent_in_window(now=time.time(), config=config)),
            },
            "SendingEnabled": not (config.sending_paused or config.account_suspended),
            "SuppressionAttributes": {"SuppressedReasons": list(REASONS) if config.suppress_bounces else []},
            "VdmAttributes": {"VdmEnabled": "DISABLED"},
        }
    )


async def get_identity(request: web.Request) -> web.Response:
    """Every identity is known and verified, but for the two switches that say otherwise."""
    config = request.app[SANDBOX].config
    identity = request.match_info["identity"]
    domain = identity.rpartition("@")[2]
    status = "PENDING" if config.from_not_verified else "SUCCESS"
    return web.json_response(
        {
            "IdentityType": "EMAIL_ADDRESS" if "@" in identity else "DOMAIN",
            "FeedbackForwardingStatus": False,
            "VerifiedForSendingStatus": not config.from_not_verified,
            "VerificationStatus": status,
            "DkimAttributes": {
                "SigningEnabled": True,
                "Status": status,
                "Tokens": [],
                "SigningAttributesOrigin": "AWS_SES",
            },
            "MailFromAttributes": {
                "MailFromDomain": f"bounce.{domain}",
                "MailFromDomainStatus": "FAILED" if config.mail_from_not_verified else "SUCCESS",
                "BehaviorOnMxFailure": "REJECT_MESSAGE",
            },
            "Policies": {},
            "Tags": [],
        }
    )


async def put_suppressed(request: web.Request) -> web.Response:
    payload = await read_json(request)
    fields = payload if isinstance(payload, dict) else {}
    address, reason = fields.get("EmailAddress"), fields.get("Reason")
    if not isinstance(address, str) or "@" not in address:
        raise bad_request("EmailAddress must be an email address.")
    if reason not in REASONS:
        raise bad_request(f"Reason must be one of {', '.join(REASONS)}.")
    request.app[SANDBOX].suppression.put(address, reason)
    return web.json_response({})


async def get_suppressed(request: web.Request) -> web.Response:
    address = request.match_info["address"]
    entry = request.app[SANDBOX].suppression.get(address)
    if entry is None:
        raise _not_suppressed(address)
    named = {"MessageId": entry.message_id, "FeedbackId": entry.feedback_id}
    attributes = {name: value for name, value in named.items() if value}
    shown = {**_summary(entry), **({"Attributes": attributes} if attributes else {})}
    return web.json_response({"SuppressedDestination": shown})


async def delete_suppressed(request: web.Request) -> web.Response:
    address = request.match_info["address"]
    if not request.app[SANDBOX].suppression.remove(address):
        raise _not_suppressed(address)
    return web.json_response({})


async def list_suppressed(request: web.Request) -> web.Response:
    query = request.query
    size = query.get("PageSize", str(MAX_PAGE))
    if not size.isdecimal() or not 1 <= int(size) <= MAX_PAGE:
        raise bad_request(f"PageSize must be a whole number between 1 and {MAX_PAGE}.")
    after = _after(query.get("NextToken", ""))
    entries = [
        entry
        for entry in request.app[SANDBOX].suppression.entries(
            reasons=query.getall("Reason", []),
            since=_seconds(query.get("StartDate"), default=0.0),
            until=_seconds(query.get("EndDate"), default=float("inf")),
        )
        if entry.address > after
    ]
    page, more = entries[: int(size)], len(entries) > int(size)
    token = {"NextToken": base64.urlsafe_b64encode(page[-1].address.encode()).decode()} if more else {}
    return web.json_response({"SuppressedDestinationSummaries": [_summary(entry) for entry in page], **token})


async def read_json(request: web.Request) -> Any:
    """The request body as JSON; raises SesError BadRequestException."""
    try:
        return json.loads(await request.read())
    except ValueError as error:
        raise bad_request("The request body is not valid JSON.") from error


def reset(request: web.Request) -> web.Response:
    """Tear the connection down with a TCP reset; the answer returned goes nowhere."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()


def _post_entry(
    sandbox: Sandbox, payload: dict[str, Any], entry: dict[str, Any]
) -> tuple[Mail, int] | dict[str, str]:
    """The mail of an entry and how often its first recipient was posted to, or the entry's refusal."""
    if name := bulk.stored_template(payload):
        return {"Status": "TEMPLATE_NOT_FOUND", "Error": f"Template {name} does not exist."}
    try:
        mail = mails.from_request(bulk.as_send_email(payload, entry))
    except SesError as error:
        return _refused_entry(sandbox, error)
    return mail, sandbox.stats.posted(mail)


def _admit_entry(sandbox: Sandbox, mail: Mail, nth_post: int, *, source_ip: str) -> Accepted | dict[str, str]:
    if acceptance.happens(sandbox.config, "error_500_before", mail.recipients[0], nth_post):
        sandbox.stats.faults["error_500_before"] += 1
        return bulk.failed(INTERNAL)
    try:
        return sandbox.admit(mail, source_ip=source_ip, operation="SendBulkEmail")
    except SesError as error:
        return _refused_entry(sandbox, error)


def _refused_entry(sandbox: Sandbox, error: SesError) -> dict[str, str]:
    sandbox.refused(error)
    return bulk.failed(error)


async def _reset_before(request: web.Request, recipient: str, nth_post: int) -> bool:
    """Wait as long as the call takes, then say whether its connection breaks before anything was accepted."""
    sandbox = request.app[SANDBOX]
    config = sandbox.config
    rule = rule_for(recipient, seed=config.seed, mix=config.mix)
    seconds = acceptance.latency_seconds(config, recipient, nth_post) + seconds_until_accepted(
        rule, recipient
    )
    if seconds:
        await asyncio.sleep(seconds)
    if not acceptance.happens(config, "reset_before", recipient, nth_post):
        return False
    sandbox.stats.faults["reset_before"] += 1
    return True


async def _answer_after(
    request: web.Request, recipient: str, nth_post: int, answer: dict[str, Any]
) -> web.StreamResponse:
    """The answer of a call whose mails are kept, or the fault that keeps it from the caller."""
    sandbox = request.app[SANDBOX]
    for fault, play in _FAULTS_AFTER.items():
        if acceptance.happens(sandbox.config, fault, recipient, nth_post):
            sandbox.stats.faults[fault] += 1
            if (instead := await play(request)) is not None:
                return instead
    return web.json_response(answer)


async def _hang(request: web.Request) -> None:
    await asyncio.sleep(request.app[SANDBOX].config.hang_seconds)


async def _reset_after(request: web.Request) -> web.Response:
    return reset(request)


async def _error_after(request: web.Request) -> web.Response:
    raise INTERNAL


_FAULTS_AFTER: dict[str, Callable[[web.Request], Awaitable[web.Response | None]]] = {
    "hang_after": _hang,
    "reset_after": _reset_after,
    "error_500_after": _error_after,
}


def _summary(entry: Suppressed) -> dict[str, Any]:
    return {"EmailAddress": entry.address, "Reason": entry.reason, "LastUpdateTime": entry.since}


def _not_suppressed(address: str) -> SesError:
    return SesError("NotFoundException", f"Email address {address} does not exist on your suppression list.")


def _after(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise SesError("InvalidNextTokenException", "The NextToken is not valid.") from error


def _seconds(text: str | None, *, default: float) -> float:
    if text is None:
        return default
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise bad_request(f"Not a time in ISO 8601: {text}") from error
