"""The errors of SESv2 as clients see them: HTTP status, ``x-amzn-ErrorType`` header and a JSON message.

Names and status codes are those of the service model ``sesv2-2019-09-27``. Raised by ``acceptance``, ``mails``,
``limits`` and ``ses``; ``app.py`` turns them into answers.
"""

STATUS_OF_CODE = {
    "AccountSuspendedException": 400,
    "BadRequestException": 400,
    "InternalServiceErrorException": 500,
    "InvalidNextTokenException": 400,
    "LimitExceededException": 400,
    "MailFromDomainNotVerifiedException": 400,
    "MessageRejected": 400,
    "NotFoundException": 404,
    "SendingPausedException": 400,
    "TooManyRequestsException": 429,
    "UnknownOperationException": 404,
}


class SesError(Exception):
    """A refusal that the client may read; ``code`` is one of ``STATUS_OF_CODE``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = STATUS_OF_CODE[code]


def bad_request(message: str) -> SesError:
    return SesError("BadRequestException", message)
