"""SendBulkEmail's JSON in, one SendEmail payload per entry out. Pure.

Only inline templates exist here (``TemplateContent``), with the simple ``{{name}}`` that SES promises for
them. One thing differs from SES: a value that is missing refuses the entry at once, where SES accepts it
and tells later by a Rendering Failure event. Called by ``ses.py``.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.errors import SesError, bad_request

MAX_ENTRIES = 50
MAX_HEADERS = 15
MAX_DATA = 262_144
_TAG = re.compile(r"\{\{\s*([A-Za-z0-9_.-]+)\s*\}\}")

#: The Status of an entry, by the error that the same mail would get from SendEmail.
STATUS_OF_ERROR = {
    "AccountSuspendedException": "ACCOUNT_SUSPENDED",
    "BadRequestException": "INVALID_PARAMETER",
    "InternalServiceErrorException": "TRANSIENT_FAILURE",
    "LimitExceededException": "ACCOUNT_DAILY_QUOTA_EXCEEDED",
    "MailFromDomainNotVerifiedException": "MAIL_FROM_DOMAIN_NOT_VERIFIED",
    "MessageRejected": "MESSAGE_REJECTED",
    "NotFoundException": "CONFIGURATION_SET_NOT_FOUND",
    "SendingPausedException": "ACCOUNT_SENDING_PAUSED",
    "TooManyRequestsException": "ACCOUNT_THROTTLED",
}


def entries(payload: Any) -> list[dict[str, Any]]:
    """The entries of a request; raises SesError BadRequestException when the call as a whole is wrong."""
    if not isinstance(payload, dict):
        raise bad_request("The request body must be a JSON object.")
    found = payload.get("BulkEmailEntries")
    if not isinstance(found, list) or not found or not all(isinstance(entry, dict) for entry in found):
        raise bad_request("BulkEmailEntries must be a list of at least one entry.")
    if len(found) > MAX_ENTRIES:
        raise bad_request(f"BulkEmailEntries holds {len(found)} entries; at most {MAX_ENTRIES} are allowed.")
    template = _part(_part(payload, "DefaultContent"), "Template")
    if not (template.get("TemplateContent") or template.get("TemplateName") or template.get("TemplateArn")):
        raise bad_request(
            "DefaultContent.Template needs TemplateContent; stored templates do not exist here."
        )
    return found


def stored_template(payload: dict[str, Any]) -> str | None:
    """The name of the stored template that the call asks for; there are none here. None for an inline one."""
    template = payload["DefaultContent"]["Template"]
    if isinstance(template.get("TemplateContent"), dict):
        return None
    return str(template.get("TemplateName") or template.get("TemplateArn"))


def as_send_email(payload: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """What SendEmail would have been asked for this one entry; raises SesError BadRequestException."""
    template = payload["DefaultContent"]["Template"]
    content = template["TemplateContent"]
    replacement = _part(_part(entry, "ReplacementEmailContent"), "ReplacementTemplate")
    values = {
        **_data(template.get("TemplateData"), "TemplateData"),
        **_data(replacement.get("ReplacementTemplateData"), "ReplacementTemplateData"),
    }
    body = {name: {"Data": _filled(content[name], values)} for name in ("Text", "Html") if content.get(name)}
    headers = _headers(template.get("Headers"), entry.get("ReplacementHeaders"))
    return {
        "FromEmailAddress": payload.get("FromEmailAddress"),
        "ReplyToAddresses": payload.get("ReplyToAddresses"),
        "ConfigurationSetName": payload.get("ConfigurationSetName"),
        "Destination": entry.get("Destination"),
        "EmailTags": _list(payload.get("DefaultEmailTags")) + _list(entry.get("ReplacementTags")),
        "Content": {
            "Simple": {
                "Subject": {"Data": _filled(content.get("Subject") or "", values)},
                "Body": body,
                "Headers": headers,
            }
        },
    }


def failed(error: SesError) -> dict[str, str]:
    """The result of an entry that was refused."""
    return {"Status": STATUS_OF_ERROR.get(error.code, "FAILED"), "Error": error.message}


def _filled(text: Any, values: Mapping[str, Any]) -> str:
    if not isinstance(text, str):
        raise bad_request("TemplateContent: Subject, Text and Html must be strings.")

    def value(tag: re.Match[str]) -> str:
        if tag[1] not in values:
            raise bad_request(f"Attribute '{tag[1]}' is not present in the rendering data.")
        return str(values[tag[1]])

    return _TAG.sub(value, text)


def _data(text: Any, field: str) -> dict[str, Any]:
    if not text:
        return {}
    if not isinstance(text, str) or len(text) > MAX_DATA:
        raise bad_request(f"{field} must be a JSON string of at most {MAX_DATA} characters.")
    try:
        values = json.loads(text)
    except ValueError as error:
        raise bad_request(f"{field} is not valid JSON: {error}.") from error
    if not isinstance(values, dict):
        raise bad_request(f"{field} must hold a JSON object.")
    return values


def _headers(default: Any, replacement: Any) -> list[dict[str, str]]:
    """Headers of the entry replace those of the same name."""
    named: dict[str, dict[str, str]] = {}
    for header in _list(default) + _list(replacement):
        if not isinstance(header.get("Name"), str) or not isinstance(header.get("Value"), str):
            raise bad_request("A header must be {Name, Value}, both strings.")
        named[header["Name"].lower()] = header
    if len(named) > MAX_HEADERS:
        raise bad_request(f"At most {MAX_HEADERS} headers are allowed; there are {len(named)}.")
    return list(named.values())


def _list(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise bad_request("Tags and headers must be lists of {Name, Value}.")
    return value


def _part(value: dict[str, Any], field: str) -> dict[str, Any]:
    part = value.get(field)
    return part if isinstance(part, dict) else {}
