"""PURE. Wordings about the way and the machines: no answer, loops, greylisting, broken servers, refused
relaying.
"""

from bounces.verdicts.rules.rule import Rule

RELAY = (
    Rule(
        r"\brelay(?:ing)? (?:access |is |was |mail )?(?:denied|not (?:allowed|permitted|authorized)|"
        r"prohibited|refused|disabled|rejected)|\b(?:unable|not (?:allowed|permitted|authorized|"
        r"configured)|cannot|can't|we (?:do|will) not|does not|do not|don't|refuse|no|open|insecure|"
        r"invalid credentials for|deny|denied) (?:to |smtp |mail |open |third party |"
        r"anonymous )*relay(?:ing)?\b|\bas a relay\b|\brcpthosts\b|\bmail relay denied|\bunable to relay|"
        r"\bnot a (?:gateway|relay)|\brelay not permitted|\bnot (?:a )?local (?:domain|host)|"
        r"\bnot in my (?:list|domains)|\bwe do not relay|\binsecure mail relay|\bnon-accepted domain|"
        r"\brequires confirmation\b|\bto a non-local e-?mail|\bwe don't handle mail for|"
        r"\bspecified domain is not allowed|\bopen relay\b|\brelaying\b.{0,20}\b(?:prohibited|denied|not)",
        "relay-denied",
        "554 5.7.1 <a@example.com>: Relay access denied",
        "Postfix, qmail, Exchange",
    ),
)

LOOP = (
    Rule(
        r"\btoo many hops\b|\bhop count exceeded|\bmaximum hop|\bma ?ximum hop|\bmail loop\b|"
        r"\brouting loop\b|\bmail loops? back|\bloops back to myself|\b(?:message|"
        r"mail) (?:is )?loop(?:ing|ed)?\b|\bmail forwarding loop|\bmailschleife|\bloop detected|"
        r"\btoo many received|\bloop was found|\bforwarding loop broken|\bloop count exceeded|"
        r"\bforwarding loop",
        "mail-loop",
        "554 5.4.6 Too many hops",
        "sendmail, Exchange",
    ),
)

GREYLISTING = (
    Rule(
        r"\bgr[ea]y[ -]?list|\bpostgrey\b|\btry again in \d|\bcome back later\b|"
        r"\bunknown sender, try again\b",
        "greylisting",
        "450 4.2.0 Recipient address rejected: Greylisted, see postgrey",
        "Postgrey",
    ),
)

#: Asked before the address: a server that could not look, or says when to come again, knows of no missing address.
WAVERING = (
    Rule(
        r"\b(?:ldap|database|backend|sql|mysql|directory)\b.{0,30}\b(?:temporar\w{1,4}|fail(?:ed|ure)|error|"
        r"unavailable|"
        r"not available|not respond\w{0,3}|unreachable|timed? ?out|down)\b|\btemporary (?:lookup|failure|error|"
        r"problem)\b|"
        r"\blookup temporarily\b",
        "server-error",
        "550 5.1.1 User unknown in virtual mailbox table because LDAP lookup temporarily failed",
        "Postfix, Exchange and gateways whose directory is away",
        statuses=("5",),
    ),
    Rule(
        r"\btemporarily (?:deferred|rejected|refused|unknown)\b|\b(?:mail|message|delivery|recipient) (?:is |was |"
        r"has been )?deferred\b|\b(?:re)?try (?:again )?(?:later|in \d|after \d|in (?:a|some) |tomorrow|shortly|"
        r"soon)|\b(?:mail ?system|mail ?server|server|system|mailbox|account)s?\b.{0,30}\b(?:maintenance|"
        r"being (?:moved|"
        r"migrated|upgraded))\b|\bmigrating\b|\b(?:unknown|unavailable|not available) until\b|\bvorubergehend\b|"
        r"\btemporairement\b|\btemporalmente\b|\btemporaneamente\b|\btijdelijk\b|\btymczasowo\b|"
        r"\btillfallig\w{0,2}\b|\bmidlertidig\w{0,2}\b|\bdocasne\b|\bgecici\b|\bspater (?:erneut|noch ?mal|wieder)|"
        r"\bplus tard\b|\bpiu tardi\b|\bmas tarde\b|\bmais tarde\b|"
        r"\blater opnieuw\b|\bpozniej\b|\bpozdeji\b|\bneskor\b|\bsenare\b|\bsenere\b|\bmyohemmin\b|\bkesobb\b|"
        r"\bdaha sonra\b|временно|позже|пізніше|αργ[οό]τερα|稍后|稍後|後で|後ほど|나중에|тимчасово|一時的|暂时|暫時|"
        r"일시적",
        "temporary",
        "550 5.1.1 Recipient unknown; temporarily deferred, please retry in 10 minutes",
        "many, behind a permanent code",
        statuses=("5",),
        final=True,
    ),
)

FULL_DISK = (
    Rule(
        r"\binsufficient (?:system )?(?:disk space|storage|resources?|system storage|system resources?)|"
        r"\bno space left\b|\bdisk (?:is )?full\b|\bout of disk space|\bnot enough (?:disk|space|storage)|"
        r"\binsufficient system resource",
        "server-full",
        "452 4.4.5 Insufficient disk space; try again later",
        "sendmail",
    ),
)

SERVER = (
    *FULL_DISK,
    Rule(
        r"\bstarttls\b|\btls\b.{0,60}\b(?:required|fail|error|version|handshake|negotiat|not available|"
        r"unavailable)|\b(?:ssl|certificate|cipher|dnssec|mta-sts|dane)\b.{0,60}|\bhigh-strength ciphers",
        "encryption",
        "5.7.322 certificate-expired: destination mail server's certificate is expired",
        "Exchange Online, Mimecast",
    ),
    Rule(
        r"\b(?:internal|local|system|server|software|configuration|lookup|temporary system|"
        r"temporary lookup|mailer|upstream|resource|backend|database|ldap)\b.{0,20}\b(?:error|problem|"
        r"failure|fault|failed|unavailable|misconfigured|configured)\b|\bservice (?:is )?(?:currently |"
        r"temporarily )?(?:unavailable|not available)|\btemporarily (?:unavailable|rejected|deferred|"
        r"not available)|\bqueue file write|\bcould not load\b|\btransaction failed|"
        r"\bunable to (?:process|write|open|create|lock|fork|deliver to local)|\bi/o error|"
        r"\bout of memory|\bcommand (?:died|failed|time limit)|\bexit status|\breturn code\b|"
        r"\bmailing list expansion|\bmisconfigured forwarding|\bprocessing error|\bwrite error|"
        r"\bcan't create\b|\bcannot (?:open|create|write|lock|fork|update|append)|\bpermission problem|"
        r"\bmessage failed to be replicated|\bcan't (?:open|create|chdir)|\bmultiple destination domains|"
        r"\bpipe to \||\bencountered an error while|\bprocmail\b|\bx-unix; \d|\bmailer error|"
        r"\blocal error in processing|\bservice (?:currently|temporarily)|\bmail server (?:is )?down|"
        r"\btimeout waiting for input|\blocal delivery failed\b",
        "server-error",
        "451 4.3.0 Error: queue file write error",
        "many",
    ),
)

NETWORK = (
    Rule(
        r"\b(?:queue|message|mail|delivery|delivery time)[ .]?(?:was |has |time )?expired\b|"
        r"\bqueue\.expired|\bmaximum[- ]time[- ]expired|\bretry (?:time(?:out)?|limit|period) (?:exceeded|"
        r"expired)|\bin (?:the )?queue too long|\btoo long in (?:the )?queue|\btoo old\b|"
        r"\bunable to deliver (?:in|within|for) \d|\bnot (?:be )?delivered (?:within|in|for|after) \d|"
        r"\bgave up|\bgiving up|\bcould not be delivered for|\bhas been in the queue|"
        r"\bdelivery time expired|\bundelivered (?:after|for)|\bhas not been (?:delivered|collected)|"
        r"\bmessage delayed|\bfailing for a long time|\benvelope expired|"
        r"\bmaximum (?:number of )?(?:delivery )?attempts|\bretry time not reached|\bmultiple retries|"
        r"\bqueue period|\bcould not be delivered for more than|\bmessage timed out|\battempts? (?:have|"
        r"has) (?:all )?failed|\ball attempts\b|\bdelivery failed \d{1,4} attempts",
        "timeout",
        "550 4.4.7 QUEUE.Expired; message expired",
        "Exchange, Exim, SES",
    ),
    Rule(
        r"\btime[d]?[ -]?out\b|\btimeout\b|\boperation timed|\bconnection expired|\bdid not (?:respond|"
        r"answer)|\bnot respond(?:ing)?\b|\bno (?:response|answer|reply) from|\bdelai depasse|"
        r"\bzeituberschreitung|\bтайм-?аут|タイムアウト",
        "timeout",
        "connect to mx.example.test[192.0.2.1]:25: Connection timed out",
        "Postfix",
    ),
    Rule(
        r"\bconnection (?:was |has been |to .{1,60} )?(?:refused|reset|dropped|lost|closed|failed|died|"
        r"terminated|broken|aborted)|\blost connection|\bno route to host|\bnetwork (?:is )?unreachable|"
        r"\bhost (?:is )?unreachable|\b(?:cannot|can't|could not|couldn't|unable to|failed to|"
        r"wasn't able to|unable to establish an smtp) (?:establish |make |open |an |a |smtp |the |"
        r"remote )*(?:connect|connection|contact|reach)|\bbroken pipe|\bsocket\b|"
        r"\bdid not accept our requests to connect|\bremote (?:host|server|mta|end) (?:is |was )?(?:down|"
        r"not available|unavailable|closed)|\bhost (?:is )?down|\bsmtp protocol returned a\b|"
        r"\berror transferring|\bunreachable\b|\bdns (?:query|lookup|server)? ?(?:failed|failure|error|"
        r"temporary)|\btemporary (?:dns|name)|\bincorrect hostname used for inbounds|"
        r"\bclosing connection\b|\bunable to (?:resolve|route)|\bcannot (?:route|resolve)|\berror reading|"
        r"\bread error|\bcould not find a gateway|\bunexpected (?:response|end|eof)",
        "connection",
        "connect to mx.example.test[192.0.2.1]:25: Connection refused",
        "Postfix, Exim",
    ),
)

TEMPORARY = (
    Rule(
        r"\btry (?:it |again )?(?:again )?later\b|\bplease (?:re)?try\b|\btemporar(?:y|ily)\b|"
        r"\bdeferred\b|\bretry\b|\bvorubergehend\b|\btemporairement\b|\bveuillez essayer plus tard|"
        r"\btemporalmente\b",
        "temporary",
        "451 Please try again later",
        "many",
    ),
)
