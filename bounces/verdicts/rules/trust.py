"""PURE. Wordings that refuse us and not the address: authentication, blocklists, reputation, spam, policy,
protocol.
"""

from bounces.verdicts.rules.policies import OUR_SERVER, POLICY_WORDS
from bounces.verdicts.rules.rule import Rule

AUTHENTICATION = (
    Rule(
        r"\bdmarc\b",
        "dmarc",
        "550 5.7.1 Email rejected per DMARC policy for example.com",
        "Gmail, Mail.ru, Yahoo",
    ),
    Rule(
        r"\b(?:failing|fails?|pass|neither|either|no|both|with)\b.{0,30}\bspf\b.{0,20}\b(?:or|and|"
        r"nor)\b.{0,10}\bdkim\b|\bspf\b.{0,10}\b(?:or|and|nor)\b.{0,10}\bdkim\b",
        "authentication",
        "550 5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.",
        "Gmail, Apple, Yahoo",
    ),
    Rule(
        r"\bspf\b|\bsender policy framework\b|\bopenspf\b",
        "spf",
        "553 Sender Policy Framework (SPF) fail",
        "many",
    ),
    Rule(
        r"\bdkim\b(?!-signature)",
        "dkim",
        "550 DKIM sender invalid - envelope rejected",
        "Mimecast",
    ),
    Rule(
        r"\bunauthenticated (?:e-?mail|mail|message|sender)s?\b(?! not allowed)|"
        r"\bsender is unauthenticated|\bmultiple authentication checks failed|"
        r"\bdoes not have authentication information|\bit is unauthenticated|"
        r"\bfails to pass authentication|\banti-spoofing\b|\bspoof(?:ed|ing)\b",
        "authentication",
        "550 5.7.26 Multiple authentication checks failed",
        "RFC 7372",
    ),
)

REVERSE_DNS = (
    Rule(
        r"\b(?:reverse|ptr|rdns|r-dns)\b.{0,40}\b(?:dns|record|lookup|entry|resource|required|invalid|"
        r"missing|fail|name|resolution)|\b(?:no|invalid|missing|bad|without|valid|fix|your|"
        r"a)\b.{0,20}\b(?:ptr|rdns|reverse dns)\b|\bip name lookup failed\b(?!.{0,20}relay)|"
        r"\bcannot find your (?:reverse )?hostname|\bcannot resolve your (?:address|hostname)|"
        r"\bclient host rejected: cannot find|\bdns check failure",
        "reverse-dns",
        "571 No PTR Record found. Reverse DNS required",
        "Comcast, GMX, Postfix",
    ),
)

BLOCKLIST = (
    Rule(
        r"\b(?:black|block|deny|ban|reject)[ -]?list(?:ed|ing|s)?\b(?!\w)",
        "blocklist",
        "550 5.7.1 IP address blacklisted by recipient",
        "many",
    ),
    Rule(
        r"\b(?:dns|r|u|s|x|p|d)?[br]bl\b|\brbl\b|\bdnsbl\b|\bspamhaus\b|\bspamcop\b|\bsorbs\b|"
        r"\bbarracudacentral\b|\binvaluement\b|\buceprotect\b|\bcloudmark\b|\bproofpoint dynamic\b|"
        r"\btrend ?micro\b.{0,30}\breputation|\bcsi\.cloudmark\b|\bsenderscore\b",
        "blocklist",
        "554 Service unavailable; Client host blocked using zen.spamhaus.org",
        "Postfix, many",
    ),
    Rule(
        r"\b(?:host|client|ip|address|network|server|<ip>|connections?|mail|domain)\b.{0,60}\b(?:is |"
        r"has been |was |are )?(?:blocked|banned|blacklisted|refused|denied) (?:using|by|due|because|from|"
        r"at|for|-)|\bblocked using\b|\bbanned sending ip\b|\bis listed (?:in|at|on|by)\b|"
        r"\baccess from ip\b.{0,40}\bblocked|\bdue to listing in\b|\bin our deny\b|"
        r"\bip <ip> (?:is )?blocked",
        "blocklist",
        "550 Access from ip address 192.0.2.1 blocked.",
        "Mail.ru, Exchange Online",
    ),
    Rule(
        r"\b(?:invalid|not an allowed|unauthorized|forbidden) ip\b|\bhost network not allowed\b|"
        r"\bip not in whitelist\b|\bbanned\b(?!:|\w| file| attach)|"
        r"\bconnections?(?: will)?(?: are)? not (?:be )?accepted from\b|\bclient host rejected\b|"
        r"\bnot accepting connections\b|\bgesperrt(?:e|er)? ip\b|\bip.{0,20}\bgesperrt\b|"
        r"\bis on our block\b|\bpart of their network\b|\baccess forbidden\b|\bnot allowed to connect\b|"
        r"\bplease use the smtp server of your isp\b|\bblocked by ldap\b|\bdynamic (?:ip|address|pool|"
        r"host)\b|\bdial-?up\b|\bopen proxy\b|\bno access from mail server|\bhosts? refused\b|"
        r"\bbad sender ip\b|\babuse? detected\b|\bresidential ip\b",
        "blocklist",
        "554 5.7.1 <host.example.net[192.0.2.1]>: Client host rejected: may not be mail exchanger",
        "Postfix, Yahoo, Apple",
    ),
)

REPUTATION = (
    Rule(
        r"\breputation\b|\buntrusted ip\b|\bunusual rate of\b|\bpoor (?:sender|sending)\b|"
        r"\bunexpected volume\b|\buser complaints\b|\bsuspected bounce attacks?\b|\bsuspicious activity\b|"
        r"\btoo many (?:invalid|unknown|bad) (?:recipients|users)\b|\bharvest|\btoo many complaints\b|"
        r"\bspam abuse detected\b",
        "reputation",
        "421 4.7.0 Messages temporarily deferred due to unexpected volume or user complaints",
        "Yahoo, Gmail, Exchange Online",
    ),
)

VIRUS = (
    Rule(
        r"\b(?:virus|malware|trojan|worm)(?:es|s)?\b(?!.{0,10}free)|\bmcspamsignature\b|\binfected\b|"
        r"\bphishing\b(?!,? the message has been)",
        "virus",
        "550 5.7.1 The message contains a virus",
        "amavis, ClamAV",
    ),
    Rule(
        r"\b(?:attachment|file|filename|extension)s?\b.{0,40}\b(?:not allowed|forbidden|prohibited|"
        r"blocked|banned|rejected|refused|denied|illegal|dangerous|not accepted)|\b(?:illegal|banned|"
        r"forbidden|prohibited|blocked|unacceptable|dangerous|executable) (?:attachment|file|extension)|"
        r"\bbanned:|\bnot accept(?:ing)? (?:mail|messages|e-?mail) with (?:attach|embedded)|"
        r"\bcontent presents a potential\b",
        "attachment-rejected",
        "552-5.7.0 Our system detected an illegal attachment on your message.",
        "Gmail, amavis",
    ),
)

SPAM = (
    Rule(
        r"\bspam\b(?!box| filter test)|\bspam-?(?:like|id|message|mail)|\bantispam|\banti-spam|"
        r"\bspamassassin|\bspamprofiler|\bjunk\b|\bjunk ?(?:mail|e-?mail)|\bunsolicited\b|\bbulk (?:e-?mail|mail|"
        r"email)\b|\bmass mailer\b|\bube\b|\buce\b|\burib[l]\b|\bspamverdacht\b|\bpourriel|\bспам|スパム|"
        r"垃圾邮件|迷惑メール",
        "spam",
        "554 5.7.1 Rejected due to high probability of spam",
        "many",
    ),
    Rule(
        r"\bthis message (?:has been |was |is )?(?:suspicious|likely suspicious)|\bsuspicious due to\b|"
        r"\bblocked (?:by|due to) (?:content|our content|the content|a content)|"
        r"\bscore\b.{0,20}\btoo high\b|\bcontent filter(?:ing)?\b|\bmail rejete|\bofr_?506|"
        r"\bdetected as suspicious",
        "spam",
        "550 5.2.0 Mail rejete. Mail rejected. OFR_506 [506]",
        "Orange, Exchange",
    ),
    Rule(
        r"\b(?:message|mail|e-?mail)? ?content (?:was |is |has been )?(?:rejected|refused|not accepted|"
        r"blocked|denied)|\brejected (?:due to|because of|for|by) (?:its |the |message |bad |"
        r"your )?content|\bcontent examination\b|\bbad content\b|\bprohibited content|\bforbidden content",
        "content-rejected",
        "550 5.7.1 message content rejected",
        "Postfix, Barracuda, Mimecast",
    ),
)

SENDER = (
    Rule(
        r"\b(?:sender|sending|from|envelope|mail from|return[- ]path|reverse[- ]path|origin|originator|"
        r"source|"
        r"sender'?s)\b(?: e-?mail)?(?: address)?(?: domain)?:? ?(?:<addr>:? ?)?.{0,20}\b(?:rejected|"
        r"denied|blocked|refused|invalid|not accepted|not allowed|disallowed|banned|not exist|"
        r"doesn't exist|unknown|not found|unroutable|unverified|not permitted|not authorized|forbidden|null ?mx|"
        r"does not resolve|verif\w{1,8} (?:failed|failure))\b",
        "sender-refused",
        "501 5.1.8 Sender address rejected",
        "many",
    ),
    Rule(
        r"\binvalid dns (?:mx|a)\b|\bmailbox unavailable\b.{0,80}\b(?:dns|mx|sender'?s?|sending domain)\b",
        "sender-refused",
        "550 Requested action not taken: mailbox unavailable invalid DNS MX or A/AAAA resource record",
        "GMX, WEB.DE: the domain of the sender is meant",
    ),
    Rule(
        r"\bdomain of (?:the )?sender(?:'s)?(?: address)?\b|\bunroutable sender\b|\b(?:invalid|unknown|"
        r"unverified|bad|illegal|unauthori[sz]ed|unresolvable|blocked|banned|unregistered) (?:sender|"
        r"sending|from|mail from|rfc\.?5321|originator|sender's)\b|\bsender (?:verify|verification|"
        r"callout|callback)\b|\bcould not verify sender\b|\bsender denied\b|"
        r"\bsending this from a different address|\bsenderfilter|\bunresolvable rfc|\bunregistered domain|"
        r"\bemetteur (?:invalide|refuse)|\babsender\b.{0,40}\b(?:abgelehnt|ungultig|nicht)",
        "sender-refused",
        "553 5.1.8 <a@example.com>... Domain of sender address a@example.com does not exist",
        "sendmail, Postfix",
    ),
    Rule(
        r"\bnot (?:allowed|authorized|authorised|permitted) to send\b|\bmail from\b.{0,60}\b(?:rejected|"
        r"refused|not accepted|denied|blocked|not allowed|isn't allowed)|"
        r"\bsender\b.{0,40}\bnot (?:authenticated|on the)|\benvelope (?:blocked|rejected)\b|"
        r"\b(?:manually )?blocked senders\b|\ball messages from\b.{0,60}\bdeferred|"
        r"\bcustomer block list\b|\bmail sending denied\b|\bdoes not accept mail from\b|"
        r"\bdon't accept mail from\b|\bnot accept(?:ing)? (?:mail|e-?mail|messages) from\b|"
        r"\bmust (?:be a )?member\b|\bnot allowed to post\b|\bhas been rejected because of the sender|"
        r"\bpermission to (?:post|send)\b|\bclosed (?:mailing )?(?:list|group)\b|\bwe (?:do not|"
        r"don't) accept mail from|\bawaits moderator|\brefuses? (?:your )?mail from|\bonly (?:members|"
        r"subscribers)|\bnot (?:a )?(?:member|subscribed)\b|\brefused by (?:the )?recipient|"
        r"\brejected by recipients?\b|\bblocked by (?:the )?(?:recipient|user)",
        "sender-refused",
        "550 5.7.1 You are not allowed to send mail to this group",
        "Exchange, Mimecast",
    ),
    Rule(
        r"\b(?:smtp )?authentication (?:is )?required|\bauth(?:entication)? (?:is )?(?:required|needed)|"
        r"\brst\.auth|\brestrictedto|\bapplication-specific password|\bplease log ?in\b|"
        r"\busername and password\b|\bincorrect authentication data|\bno identity changes|"
        r"\bclient was not authenticated|\bunauthenticated senders? not allowed|\bturn on smtp auth|"
        r"\bcannot achieve exchange server authentication|\bnot authorized\b(?!\w)|"
        r"\bdelivery not authorized|\bmust (?:issue|use) (?:a )?starttls|\btls required\b|"
        r"\bmust authenticate\b|\bauthentication fail|\bneed to authenticate|\bnot authorized to (?:send|"
        r"use)|\bpop before smtp\b",
        "login-required",
        "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required",
        "Exchange",
    ),
)

MALFORMED = (
    Rule(
        r"\brfc ?(?:5322|2822|822|2821|5321|2047)\b.{0,40}\b(?:complian|violat|section)|\bnot rfc\b|"
        r"\brfc compliant|\bduplicate header|\bmultiple (?:addresses in )?from:? (?:header|address)|"
        r"\bmultiple (?:\d{3} \d\.\d\.\d )?addresses in from|\bimproper use of 8-bit|"
        r"\bmalformed\b(?! name| or| domain| dns)|\bbare (?:lf|cr|newline|linefeed)|\bheader error\b|"
        r"\b(?:missing|invalid|bad|illegal|too many|disallowed|"
        r"equal) (?:equal )?(?:[a-z-]{1,20} )?headers?\b|\bx-headers\b|\bno [\w-]{1,30} (?:field|"
        r"header) given|\bheader\b.{0,30}\b(?:too long|is missing|missing|not allowed|not permitted|"
        r"invalid)|\binvalid (?:message content|mime)|\bmessage depth exceeded|"
        r"\bunicode character in a disallowed|\bcharset\b.{0,30}\bnot|\bencoded-word\b|\bcontent-transfer|"
        r"\b8bitmime\b|\bmime\b.{0,20}\b(?:error|invalid|violat)|\bmessage[- ]id\b.{0,20}\b(?:missing|"
        r"required)|\bconversion (?:is )?(?:required|not)",
        "malformed",
        "550 5.7.1 Messages with multiple addresses in From: header are not accepted.",
        "Gmail, amavis, sendmail",
    ),
)

PROTOCOL = (
    Rule(
        r"\b(?:syntax error|bad sequence|improper sequence|protocol (?:violation|error)|"
        r"command (?:parameter )?not (?:implemented|recognized)|unimplemented command|"
        r"unrecogni[sz]ed command|unknown command|bad command|command not (?:allowed|recognized|"
        r"implemented)|cannot decode|need (?:mail|rcpt|helo|ehlo)|helo first|mail first|before greeting|"
        r"too many unauthenticated commands|too many unrecognized|invalid parameter|bad address syntax|"
        r"starttls after)\b",
        "protocol",
        "503 5.5.1 Bad sequence of commands",
        "many",
    ),
    Rule(
        r"\binvalid domain name\b|\b(?:helo|ehlo)\b.{0,40}\b(?:invalid|rejected|reject|denied|not allowed|"
        r"argument|need fully|bad|required|mismatch|refused)|\b(?:bad|invalid|rejected) (?:helo|ehlo)\b|"
        r"\bhelo command rejected",
        "protocol",
        "504 5.5.2 Helo command rejected: need fully-qualified hostname",
        "Postfix",
    ),
)

TRUST = (
    *BLOCKLIST,
    *VIRUS,
    *SPAM,
    *MALFORMED,
    *SENDER,
    *PROTOCOL,
    *OUR_SERVER,
    *POLICY_WORDS,
)
