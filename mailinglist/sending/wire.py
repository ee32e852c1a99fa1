"""A lean way to the SESv2 API: kept connections, botocore's signature, one POST per call.

Used by ``ses.Backend`` (as the connection that django-ses sends through) and by ``bulk.py``, in greenlets of ``hub.py``.
A request is posted once, never a second time by itself. Errors are botocore's own exceptions, so that ``ses.py`` maps
them in one table: before the request was written nothing was sent (EndpointConnectionError, ConnectTimeoutError); after
that SES may have taken the mail (ReadTimeoutError, ConnectionClosedError, HTTPClientError). A connection that the other
side closes while it is idle is dropped, not used.

Shapes: SESv2 service model 2019-09-27 (SendEmail, SendBulkEmail; errors of rest-json).
"""

import asyncio
import base64
import json
import ssl
import threading
from typing import Any
from urllib.parse import urlsplit

import httptools
from botocore import exceptions as boto
from botocore.httpsession import get_cert_path

from mailinglist.sending import hub
from mailinglist.sending.failpoints import reach
from mailinglist.sending.signing import Signer


class NotReadable(boto.BotoCoreError):
    """SES (or something in between) answered with what is no JSON object."""

    fmt = "SES answered with something that is not JSON."


class Wire:
    """One per process, endpoint and account. Connections belong to the event loop of the thread that made them."""

    def __init__(
        self, url: str, *, region: str, credentials: Any, connect_timeout: float, read_timeout: float
    ) -> None:
        """``credentials``: botocore's, None where none were found. Time-outs in seconds."""
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = (
            ssl.create_default_context(cafile=get_cert_path(True)) if parts.scheme == "https" else None
        )
        self._signer = Signer(
            credentials, service="ses", region=region, url=self.url, content_type="application/json"
        )
        self._connect_timeout, self._read_timeout = connect_timeout, read_timeout
        self._kept = threading.local()

    def send_email(
        self, *, FromEmailAddress: str, Destination: dict[str, Any], Content: dict[str, Any], **others: Any
    ) -> dict[str, Any]:
        """SESv2 SendEmail with raw content, called by django-ses. Raises botocore's ClientError and BotoCoreError."""
        head = json.dumps({"FromEmailAddress": FromEmailAddress, "Destination": Destination, **others})
        data = base64.b64encode(Content["Raw"]["Data"])
        body = b'%b, "Content": {"Raw": {"Data": "%b"}}}' % (head[:-1].encode(), data)
        return self.post("SendEmail", "/v2/email/outbound-emails", body)

    def send_bulk_email(self, body: bytes) -> dict[str, Any]:
        """SESv2 SendBulkEmail with a finished JSON body. Raises botocore's ClientError and BotoCoreError."""
        return self.post("SendBulkEmail", "/v2/email/outbound-bulk-emails", body)

    def post(self, operation: str, path: str, body: bytes) -> dict[str, Any]:
        """One signed POST; the parsed answer with boto3's ResponseMetadata."""
        return _parsed(operation, hub.run(lambda: self._post(path, body)))

    def _post(self, path: str, body: bytes) -> "_Answer":
        head = self._signer.headers(path, body)
        request = b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (
            path.encode(),
            head,
            len(body),
            body,
        )
        idle = self._idle()
        connection = idle.pop() if idle else self._connect(idle)
        try:
            answer = connection.request(request, self._read_timeout)
        except (OSError, httptools.HttpParserError) as error:
            connection.close()
            raise self._lost(error) from error
        if answer.keep_alive:
            idle.append(connection)
        else:
            connection.close()
        return answer

    def _idle(self) -> list["_Connection"]:
        """The connections of the running loop that wait for work, the one used last at the end."""
        loop = asyncio.get_running_loop()
        if getattr(self._kept, "loop", None) is not loop:
            self._kept.loop, self._kept.idle = loop, []
        found: list[_Connection] = self._kept.idle
        return found

    def _connect(self, idle: list["_Connection"]) -> "_Connection":
        parking: hub.Parking[asyncio.Task[_Connection]] = hub.Parking()
        asyncio.get_running_loop().create_task(self._open(idle)).add_done_callback(parking.give)
        try:
            return parking.wait().result()
        except TimeoutError as error:
            raise boto.ConnectTimeoutError(endpoint_url=self.url, error=error) from error
        except ssl.SSLError as error:
            raise boto.SSLError(endpoint_url=self.url, error=error) from error
        except OSError as error:
            raise boto.EndpointConnectionError(endpoint_url=self.url, error=error) from error

    async def _open(self, idle: list["_Connection"]) -> "_Connection":
        async with asyncio.timeout(self._connect_timeout):
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(idle), self._host, self._port, ssl=self._tls
            )
        return connection

    def _lost(self, error: Exception) -> boto.BotoCoreError:
        """The request was being written or had been: from here on SES may have taken the mail."""
        if isinstance(error, TimeoutError):
            return boto.ReadTimeoutError(endpoint_url=self.url, error=error)
        if isinstance(error, OSError):
            return boto.ConnectionClosedError(endpoint_url=self.url, error=error)
        return boto.HTTPClientError(error=error)


class _Answer:
    """One response, filled by httptools' parser as it comes in."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.status, self.keep_alive, self.complete = 0, False, False
        self.headers: dict[bytes, bytes] = {}
        self.content = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_body(self, data: bytes) -> None:
        self.content += data

    def on_message_complete(self) -> None:
        # Asked later, the parser has begun to wait for the next message and says no.
        self.keep_alive = self.parser.should_keep_alive()
        self.status = self.parser.get_status_code()
        self.complete = True

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")


class _Connection(asyncio.Protocol):
    """One kept connection: one request at a time."""

    def __init__(self, idle: list["_Connection"]) -> None:
        self._idle = idle
        self._transport: asyncio.Transport | None = None
        self._parking: hub.Parking[_Answer] | None = None

    def request(self, request: bytes, timeout: float) -> _Answer:
        """Write the request and park until its answer is complete. Raises OSError (TimeoutError after ``timeout``
        seconds) and httptools' HttpParserError.
        """
        if self._transport is None:
            raise ConnectionResetError("The connection was closed.")
        parking: hub.Parking[_Answer] = hub.Parking()
        self._answer = _Answer()
        self._parking = parking
        timer = asyncio.get_running_loop().call_later(
            timeout, parking.fail, TimeoutError("No answer in time.")
        )
        self._transport.write(request)
        reach("request-sent")
        try:
            return parking.wait()
        finally:
            timer.cancel()
            self._parking = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self._parking is None:  # an answer that nobody asked for
            return self.close()
        reach("answer-arrived")
        try:
            self._answer.parser.feed_data(data)
        except httptools.HttpParserError as error:
            return self._parking.fail(error)
        if self._answer.complete:
            self._parking.give(self._answer)
        return None

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self in self._idle:
            self._idle.remove(self)
        if self._parking is not None:
            self._parking.fail(
                error or ConnectionResetError("The connection was closed before the answer came.")
            )


def _parsed(operation: str, answer: _Answer) -> dict[str, Any]:
    metadata = {"HTTPStatusCode": answer.status, "RequestId": answer.header(b"x-amzn-requestid")}
    said = ""
    try:
        found = json.loads(answer.content) if answer.content else {}
    except ValueError:
        found, said = None, answer.content[:2000].decode("utf-8", "replace")
    if answer.status >= 300:
        fields = found if isinstance(found, dict) else {}
        code = answer.header(b"x-amzn-errortype") or str(fields.get("__type") or fields.get("code") or "")
        # The header may carry a namespace and a URI around the name: "ns#Name:http://…".
        name = code.partition(":")[0].rpartition("#")[2]
        text = str(fields.get("message") or fields.get("Message") or said)
        raise boto.ClientError(
            {"Error": {"Code": name, "Message": text}, "ResponseMetadata": metadata}, operation
        )
    if not isinstance(found, dict):
        raise NotReadable()
    return {**found, "ResponseMetadata": metadata}
