"""PURE. Wordings about rules of the house: policies, servers that may not send, refusals without a reason."""

from bounces.verdicts.rules.rule import Rule

OUR_SERVER = (
    Rule(
        r"(?<!<)\bip(?:[- ]?address(?:es)?)?\b.{0,40}\b(?:not (?:allowed|permitted|authori[sz]ed|"
        r"accepted|whitelisted)|found on a list|on (?:a|our|the|some) (?:block|black|deny)?[ -]?list|listed|"
        r"blocked|banned|rejected|refused|denied|restricted)\b|\b(?:client )?host (?:is |has been |"
        r"was )?(?:blocked|banned)\b|\byour (?:network|host|server|mail ?server|domain|country)\b.{0,20}\b"
        r"(?:not (?:allowed|permitted|authori[sz]ed)|blocked|banned|refused|denied|rejected)\b|\b(?:host|"
        r"network) not (?:allowed|"
        r"permitted|authori[sz]ed)\b|\bdue to (?:a |its |your )?listing\b|\bsend from (?:an? )?authori[sz]ed server|"
        r"\bnot (?:allowed|permitted|authori[sz]ed) to (?:send|connect) from\b",
        "blocklist",
        "550 mailbox unavailable: your IP is not allowed",
        "GMX, WEB.DE, mail.com, which begin so whatever the matter is",
    ),
)

#: Asked before the address: who names a policy refuses by it.
POLICY_WORDS = (
    Rule(
        r"\b(?:polic(?:y|ies)|policy reasons)\b|\bprohibit(?:ed|s|ion)\b|\bsecurity (?:policy|policies|"
        r"reasons)|\bagainst our\b|\btransport\.rules|\brule imposed|\brichtlinie|\bpolitique de|"
        r"\bполитик|\bdisallowed by|\bnot acceptable\b|\breject-id\b|\bcompliance\b",
        "policy",
        "550 Denied by policy",
        "many",
    ),
    Rule(
        r"\bmailbox (?:is )?unavailable\b(?! or).{0,80}\b(?:access|denied|refused|blocked|not (?:allowed|permitted|"
        r"authori[sz]ed|accepted))\b|\baccess (?:is |was )?denied\b.{0,80}\bmailbox (?:is )?unavailable\b",
        "policy",
        "550 Mailbox unavailable: no access for your server",
        "RFC 5321: 550 stands for “not found”, “no access” and “command rejected for policy reasons” alike",
    ),
    Rule(
        r"\bmailbox (?:is )?unavailable\b",
        "policy",
        "550 5.7.1 Requested action not taken: mailbox unavailable",
        "RFC 5321, RFC 3463: the code of policy says which of the three it is",
        statuses=("5.7.",),
    ),
)

#: Asked after the address.
POLICY = (
    Rule(
        r"\b(?:message|mail|e-?mail|service|delivery|transaction) (?:was |is |has been |"
        r"could )?(?:refused|not allowed|blocked|denied|not authorized|rejete|refuse)|"
        r"\baccess (?:is )?(?:denied|blocked|refused)|\bpermission denied\b|\bblocked\b(?! for one)|"
        r"\bservice refuse|\bmessage_?rejected|\bmessage rejected|\b(?:mail|e-?mail) rejected|"
        r"\brejected this message|\b(?:message|mail) (?:was|is|has been) rejected|\bzugriff verweigert|"
        r"\bannahme verweigert",
        "policy",
        "550 Access denied",
        "several",
    ),
)
