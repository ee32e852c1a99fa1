"""The query API of SNS as far as a subscriber needs it: ConfirmSubscription, and the certificate.

The API call (POST) and the SubscribeURL of the confirmation (GET) are the same action. Answers are XML as
SNS writes it. Routed by ``app.py``; the subscription itself is in ``subscription.py``.
"""

from collections.abc import Mapping
from xml.sax.saxutils import escape

from aiohttp import web

from sandbox.ses import SANDBOX
from sandbox.subscription import TokenRefused, TopicUnknown

NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)


async def post_action(request: web.Request) -> web.Response:
    """An API call: parameters in the form body."""
    form = await request.post()
    return _act(request, {name: value for name, value in form.items() if isinstance(value, str)})


def get_action(request: web.Request) -> web.Response:
    """A SubscribeURL that was opened: parameters in the query."""
    return _act(request, request.query)


async def get_certificate(request: web.Request) -> web.Response:
    signer = request.app[SANDBOX].topic.signer
    return web.Response(body=signer.certificate_pem, content_type="application/x-pem-file")


def _act(request: web.Request, parameters: Mapping[str, str]) -> web.Response:
    action = parameters.get("Action", "")
    if action != "ConfirmSubscription":
        return _error(
            request, 400, "InvalidAction", f"The action {action} is not valid for this web service."
        )
    missing = [name for name in ("TopicArn", "Token") if not parameters.get(name)]
    if missing:
        return _error(request, 400, "InvalidParameter", f"Invalid parameter: {missing[0]}")
    try:
        arn = request.app[SANDBOX].subscription.confirm(
            topic_arn=parameters["TopicArn"], token=parameters["Token"]
        )
    except TopicUnknown:
        return _error(request, 404, "NotFound", "Topic does not exist")
    except TokenRefused:
        return _error(request, 400, "InvalidParameter", "Invalid parameter: Token")
    return _xml(
        f'<ConfirmSubscriptionResponse xmlns="{NAMESPACE}"><ConfirmSubscriptionResult>'
        f"<SubscriptionArn>{escape(arn)}</SubscriptionArn></ConfirmSubscriptionResult><ResponseMetadata><RequestId>"
        f"{request[REQUEST_ID]}</RequestId></ResponseMetadata></ConfirmSubscriptionResponse>"
    )


def _error(request: web.Request, status: int, code: str, message: str) -> web.Response:
    return _xml(
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>{request[REQUEST_ID]}</RequestId></ErrorResponse>",
        status=status,
    )


def _xml(text: str, *, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/xml")
