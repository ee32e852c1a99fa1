"""PURE. Wordings whose meaning depends on who says them. Asked before the general ones.

A provider is recognised by its name, by a host name, by the recipient's domain, or by its words in the text.
"""

import re

from bounces.verdicts.rules.rule import Rule

#: provider → how it shows: ends of host names and domains, and the names that lists of bounces use.
_HOSTS: dict[str, tuple[str, ...]] = {
    "google": ("google.com", "gmail.com", "googlemail.com", "google", "gmail", "gsuite", "googleworkspace"),
    "microsoft": (
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "microsoft",
        "office365",
        "outlook",
        "exchange",
    ),
    "yahoo": ("yahoo.com", "yahoodns.net", "aol.com", "yahoo", "yahooinc", "aol"),
    "apple": ("icloud.com", "me.com", "mac.com", "apple.com", "apple"),
    "orange": ("orange.fr", "wanadoo.fr", "laposte.net", "franceptt"),
    "godaddy": ("secureserver.net", "godaddy"),
    "cox": ("cox.net", "cox"),
    "charter": ("charter.net", "rr.com", "charter", "spectrum"),
    "mimecast": ("mimecast.com", "mimecast"),
    "mailru": ("mail.ru",),
    "googlegroups": ("googlegroups.com",),
    "docomo": ("docomo.ne.jp", "docomo", "nttdocomo"),
    "tencent": ("qq.com", "tencent"),
}
_IN_TEXT = re.compile(
    r"\b(?:gsmtp\b|google\.com\b|(?P<microsoft>prod\.(?:protection\.)?outlook\.com|resolver\.adr|storedrv|"
    r"smtpsend|postmaster\.live\.com)|(?P<yahoo>yahooinc?\.com|yahoodns)|(?P<apple>icloud\.com|apple\.com)|"
    r"(?P<orange>ofr_?\d{3}|lpn\d{3})|(?P<cox>cox\.com)|(?P<charter>spectrum\.net)|(?P<godaddy>x\.co/|"
    r"secureserver\.net)|(?P<mimecast>mimecast\.com)|(?P<tencent>qq\.com)|(?P<mailru>m?x[s\d]?\.mail\.ru))"
)

PROVIDERS: dict[str, tuple[Rule, ...]] = {
    "google": (
        Rule(
            r"\?p=(?:nosuchuser|invalidaddress)|answer=6596\b",
            "user-unknown",
            "550 5.1.1 https://support.google.com/mail/?p=NoSuchUser - gsmtp",
            "Gmail",
            raw=True,
        ),
        Rule(
            r"\?p=disableduser",
            "mailbox-disabled",
            "550 5.2.1 https://support.google.com/mail/?p=DisabledUser - gsmtp",
            "Gmail",
            raw=True,
        ),
        Rule(
            r"\?p=overquota",
            "mailbox-full",
            "552 5.2.2 https://support.google.com/mail/?p=OverQuotaPerm - gsmtp",
            "Gmail",
            raw=True,
        ),
        Rule(
            r"\?p=(?:unsolicited|spam)\w*|answer=188131\b",
            "spam",
            "550 5.7.1 https://support.google.com/mail/?p=UnsolicitedMessageError - gsmtp",
            "Gmail",
            raw=True,
        ),
    ),
    "microsoft": (
        Rule(
            r"\ball recipient addresses rejected ?: access denied",
            "policy",
            "550 5.4.1 All recipient addresses rejected : Access denied",
            "Exchange Online",
        ),
        Rule(
            r"\brecipient address rejected: access denied",
            "user-unknown",
            "550 5.4.1 Recipient address rejected: Access denied [x.prod.protection.outlook.com]",
            "Exchange Online: the directory does not know the address",
            statuses=("5.4.1",),
        ),
        Rule(
            r"\brecipient address rejected: access denied",
            "mailbox-disabled",
            "5.7.504 Recipient address rejected: Access denied",
            "Exchange Online",
            statuses=("5.7.504",),
        ),
        Rule(
            r"\b(?:traffic not accepted from this ip|tenant has exceeded threshold)",
            "over-rate",
            "5.7.705 Access denied, tenant has exceeded threshold",
            "Exchange Online",
        ),
        Rule(
            r"\bnonexistentdomain|\binvalid arguments\b",
            "connection",
            "5.4.4 SMTPSEND.DNS.NonExistentDomain; nonexistent domain",
            "Exchange: also said of its own broken connectors",
        ),
    ),
    "yahoo": (
        Rule(
            r"\bmailbox is disabled|\bno longer valid",
            "mailbox-disabled",
            "554 delivery error: dd ada@example.com is no longer valid.",
            "Yahoo",
        ),
    ),
    "apple": (
        Rule(
            r"\binactive email address|\bunknown or illegal alias",
            "user-unknown",
            "550 5.1.1 <a@icloud.com>: inactive email address",
            "iCloud",
        ),
        Rule(
            r"\bno longer on server",
            "address-moved",
            "550 5.1.6 recipient no longer on server: a@icloud.com",
            "iCloud",
        ),
        Rule(
            r"\btoo many errors|\bmessage rejected due to local policy",
            "policy",
            "550 5.7.1 [CS01] Message rejected due to local policy.",
            "iCloud",
            statuses=("5",),
        ),
    ),
    "orange": (
        Rule(
            r"\bofr_?00[56]_?10\d|\btrop de connexions",
            "over-rate",
            "421 Trop de connexions, veuillez verifier votre configuration. OFR005_104",
            "Orange",
        ),
        Rule(r"\bofr_?506\b", "spam", "550 5.2.0 Mail rejete. OFR_506 [506]", "Orange"),
        Rule(
            r"\bservice refuse\b.{0,120}\bofr005_505",
            "server-error",
            "421 4.2.0 Service refuse. Veuillez essayer plus tard. OFR005_505 [505]",
            "Orange",
        ),
        Rule(
            r"\bservice refuse\b|\blpn\d{3}_(?:1|63)",
            "blocklist",
            "550 5.5.0 Service refuse. Veuillez essayer plus tard. LPN001_108",
            "Orange, La Poste",
        ),
    ),
    "cox": (
        Rule(
            r"aup#(?:cdrbl|bl|rtbl|cxsnd|o-1\d\d)",
            "blocklist",
            "550 5.1.0 <a@example.com> sender rejected. AUP#CDRBL",
            "Cox",
            raw=True,
        ),
    ),
    "charter": (
        Rule(
            r"aup#in-1310",
            "over-rate",
            "550 5.1.0 <a@example.com> sender rejected. AUP#In-1310",
            "Spectrum",
            raw=True,
        ),
    ),
    "mailru": (
        Rule(
            r"\bnot accepted -- invalid mailbox",
            "user-unknown",
            "550 Message was not accepted -- invalid mailbox. Local mailbox a@mail.ru is unavailable",
            "Mail.ru deletes a mailbox that it disables",
        ),
    ),
    "googlegroups": (
        Rule(
            r"groups\.google\.com|google ?groups?\b",
            "sender-refused",
            "The group you tried to contact may not exist, or you may not have permission to post to it. "
            "https://groups.google.com/support/",
            "Google Groups, in all languages",
            raw=True,
        ),
    ),
    "docomo": (
        Rule(
            r"\bunknown user\b",
            "mailbox-restricted",
            "550 5.2.0 Unknown user ada@docomo.ne.jp",
            "NTT docomo says so when the person takes no mail from computers",
            statuses=("5.2", "5.3"),
        ),
        Rule(
            r"\bunknown user\b",
            "sender-refused",
            "550 Unknown user ada@docomo.ne.jp",
            "NTT docomo says so after DATA when the person's settings refuse the sender",
        ),
    ),
    "tencent": (
        Rule(
            r"\bsuspected spam\b",
            "spam",
            "550 Suspected spam",
            "QQ",
        ),
    ),
}


def provider_of(name: str, domain: str, text: str) -> str:
    """The provider behind a host (or its plain name), a recipient's domain or a text; "" for one without a
    table.
    """
    for candidate in (name.lower().rstrip("."), domain.lower()):
        if candidate:
            for provider, ends in _HOSTS.items():
                if any(candidate == end or candidate.endswith("." + end) for end in ends):
                    return provider
    match = _IN_TEXT.search(text)
    return (match.lastgroup or "google") if match else ""
