"""PURE. Wordings that say “does not exist” of something else than the recipient: of our sender, of a header, of a link.

Asked before the wordings about addresses and domains, which look for the same words.
"""

from bounces.verdicts.rules.rule import Rule

_NOT_THERE = (
    r"(?:invalid|unknown|not (?:valid|found|exist|known|resolv)|does(?: not|n't) (?:exist|resolve)|"
    r"do not exist|no such|non-?existent|unroutable|unresolvable|malformed|missing|bad|rejected|refused|not accepted)"
)

SUBJECTS = (
    Rule(
        rf"\breply-?to\b[^;]{{0,40}}\b{_NOT_THERE}|\b{_NOT_THERE}\b[^.;]{{0,60}}\b(?:in|for|of) (?:the |"
        rf"your )?(?:smtp )?"
        rf"(?:mail from\b|return[- ]path\b|reply-?to\b|envelope (?:from|sender)\b|sender'?s? (?:address|domain)\b)",
        "sender-refused",
        "550 Reply-To address is invalid: no such user",
        "content filters and servers that check the sender's addresses",
    ),
    Rule(
        rf"\bno (?!headers)[^.,:;]{{0,40}}\bheader\b|\buser[- ]agent\b[^.:;]{{0,20}}\bheader|"
        rf"\b(?:from|to|cc|sender|date|subject)[- ]header\b[^.;]{{0,40}}\b{_NOT_THERE}",
        "malformed",
        "550 Message has no such user agent header",
        "content filters",
    ),
    Rule(
        rf"(?<!<)\b(?:url|uri|link|hyperlink|web ?site|web address)s?\b[^<>.;]{{0,40}}\b(?:{_NOT_THERE}|host|domain|"
        rf"blocked|listed)|"
        rf"\b{_NOT_THERE} (?:domain |host )?(?:in |of )?(?:the |an? |your |its )?(?:url|uri|link|hyperlink)s?\b",
        "content-rejected",
        "554 Your message contained an invalid URL: host not found",
        "content filters",
    ),
    Rule(
        r"\b(?:helo|ehlo)\b[^.;]{0,40}\b(?:does not exist|doesn't exist|not found|unknown|does not resolve|no such)",
        "protocol",
        "550 HELO host does not exist",
        "servers that look up the name of ours",
    ),
)
