"""PURE. Complaints that providers mail: Abuse Reporting Format (RFC 5965)."""

from bounces.mail.addresses import addresses_in, field_address
from bounces.mail.parts import Mail, header_of
from bounces.mail.report import Finding
from bounces.verdicts.facts import BounceFacts

#: Where the complaining person may stand, best first; many providers leave all of them out.
_FIELDS = ("original-rcpt-to", "removal-recipient", "redacted-address")


def read(mail: Mail) -> list[Finding]:
    """A finding for each person the report names; one without an address when it names nobody."""
    fields = mail.feedback
    kind = next((value.lower() for name, value in fields if name == "feedback-type"), "")
    people = [address for name, value in fields if name in _FIELDS and (address := field_address(value))]
    if not people and mail.returned:
        people = addresses_in(header_of(mail.returned[0], "To"))[:1]
    return [
        Finding(person, BounceFacts(kind="complaint", type=kind, domain=person.rpartition("@")[2]))
        for person in people or [""]
    ]
