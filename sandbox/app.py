"""The routes, and what holds for every answer: a request id, AWS's error shapes, no foreign page as caller.

``build`` is called by ``__main__.py``. A SesError raised by a handler becomes its JSON answer; anything
else that goes wrong is logged and answered with 500, so that a client never takes it for success.
"""

import ipaddress
import itertools
import logging
import uuid
from functools import lru_cache

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox import bare, control, pages, ses, sns_api
from sandbox.errors import SesError
from sandbox.ses import SANDBOX
from sandbox.sns_api import REQUEST_ID
from sandbox.state import Sandbox

log = logging.getLogger(__name__)
#: 40 MB of mail are 53 MB of base64.
MAX_REQUEST_BYTES = 64 * 1024 * 1024
#: Request ids have the form of a UUID: random per run, counted within it.
_RUN, _NUMBERS = str(uuid.uuid4())[:23], itertools.count(1)


def build(sandbox: Sandbox) -> web.Application:
    app = web.Application(middlewares=[_named, _guarded, _with_errors], client_max_size=MAX_REQUEST_BYTES)
    app[SANDBOX] = sandbox
    send = bare if sandbox.options.bare else ses
    suppressed = "/v2/email/suppression/addresses"
    app.add_routes(
        [
            web.post("/v2/email/outbound-emails", send.send_email),
            web.post("/v2/email/outbound-bulk-emails", send.send_bulk_email),
            web.get("/v2/email/account", ses.get_account),
            web.get("/v2/email/identities/{identity}", ses.get_identity),
            web.put(suppressed, ses.put_suppressed),
            web.get(suppressed, ses.list_suppressed),
            web.get(suppressed + "/{address}", ses.get_suppressed),
            web.delete(suppressed + "/{address}", ses.delete_suppressed),
            web.get("/_sandbox/config", control.get_config),
            web.post("/_sandbox/config", control.post_config),
            web.post("/_sandbox/reset", control.post_reset),
            web.post("/_sandbox/release", control.post_release),
            web.get("/_sandbox/stats", control.get_stats),
            web.get("/_sandbox/pushes", control.get_pushes),
            web.get("/_sandbox/ledger", control.get_ledger),
            web.get("/_sandbox/health", control.get_health),
            web.get("/", _front),
            web.post("/", sns_api.post_action),
            web.get(sandbox.topic.signer.certificate_path, sns_api.get_certificate),
            web.get("/inbox.css", pages.get_css),
            web.get("/mails/{message_id}", pages.get_mail),
            web.get("/mails/{message_id}/html", pages.get_html),
            web.get("/mails/{message_id}/raw", pages.get_raw),
        ]
    )
    return app


async def _front(request: web.Request) -> web.Response:
    """SNS and the inbox share the root: an Action is SNS's."""
    return sns_api.get_action(request) if "Action" in request.query else await pages.get_inbox(request)


@web.middleware
async def _named(request: web.Request, handler: Handler) -> web.StreamResponse:
    request[REQUEST_ID] = request_id = f"{_RUN}-{next(_NUMBERS):012x}"
    response = await handler(request)
    response.headers["x-amzn-RequestId"] = request_id
    return response


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Web pages of elsewhere must not read mails or turn switches, nor by a name that means loopback."""
    if not _is_own_name(request.url.host or ""):
        return web.Response(
            status=403, text="This is the local SES; call it by a loopback address or localhost.\n"
        )
    caller = request.headers.get("Sec-Fetch-Site", "none")
    if request.method != "GET" and caller not in ("none", "same-origin"):
        return web.Response(status=403, text="Other web pages may not call the local SES.\n")
    return await handler(request)


@lru_cache(maxsize=64)
def _is_own_name(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@web.middleware
async def _with_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except SesError as error:
        if request.path.startswith("/v2/email/outbound"):
            request.app[SANDBOX].refused(error)
        return _error(error)
    except web.HTTPRequestEntityTooLarge:
        return _error(
            SesError("BadRequestException", f"The request is larger than {MAX_REQUEST_BYTES} bytes.")
        )
    except web.HTTPException as error:
        if not request.path.startswith("/v2/"):
            return web.Response(
                status=error.status, text=f"{error.reason}: {request.method} {request.path}\n"
            )
        return _error(
            SesError("UnknownOperationException", f"{request.method} {request.path} is not offered here.")
        )
    except Exception:  # whatever it is, the client must not take it for success
        log.exception("%s %s failed", request.method, request.path)
        return _error(ses.INTERNAL)


def _error(error: SesError) -> web.Response:
    headers = {"x-amzn-ErrorType": error.code}
    return web.json_response({"message": error.message}, status=error.status, headers=headers)
