"""PURE. Wordings about room and speed: full mailboxes, too large mails, too many mails at once."""

from bounces.verdicts.rules.languages import ROOM
from bounces.verdicts.rules.rule import Rule

FULL = (
    Rule(
        r"\b(?:mailbox|mail box|inbox|mail-box|account|user|recipient|mail drop|maildrop|"
        r"storage)\b.{0,60}\b(?:is|are|was|seems?|appears?)? ?(?:now |currently |temporarily |too |"
        r"already )?full\b",
        "mailbox-full",
        "552 5.2.2 <a@example.com>: Recipient address rejected: Mailbox full",
        "many",
    ),
    Rule(
        r"\bfull (?:mailbox|mail box|inbox)|\bmailbox_?full\b|\bmailfull\b",
        "mailbox-full",
        "552 Full mailbox",
        "many",
    ),
    Rule(
        r"\bover(?: ?the)?(?: ?(?:its|their|his|disk|mail|mailbox|storage|space|maximum|allowed|"
        r"allotted))*[ -]?quota\b|\boverquota\b",
        "mailbox-full",
        "550 5.1.1 user is over quota temporarily",
        "many",
    ),
    Rule(
        r"\b(?:quota|limit|storage|space|size|allocation)\b.{0,40}\b(?:mailbox|inbox)\b.{0,40}\b(?:exceed|"
        r"reached|full|used up)",
        "mailbox-full",
        "The storage limit of this mailbox has been exceeded",
        "many",
    ),
    Rule(
        r"\bexceed(?:ed|s|ing)?\b.{0,60}\b(?:mailbox|inbox|storage|disk|mail|space|his|her|its|their|"
        r"user'?s?|account'?s?|recipient'?s?|folder)\b.{0,30}\b(?:quota|storage|allocation|capacity|"
        r"space)\b",
        "mailbox-full",
        "552 Message for <a@example.com> would exceed mailbox quota",
        "many",
    ),
    Rule(
        r"\b(?:mailbox|inbox|storage|disk|disc|account|user|mail|recipient'?s?|space|"
        r"folder)\b.{0,40}\bquota\b.{0,40}\b(?:exceed|full|reached|violat|used)",
        "mailbox-full",
        "552 5.2.2 Recipient address rejected: Mailbox quota exceeded",
        "many",
    ),
    Rule(
        r"\bquota (?:was |has been |is |would be )?(?:exceed|full|reached|violat)|\bquotaexceeded|"
        r"\bquota_?exceeded|\bexceed(?:ed|s|ing)? (?:the |its |his |their )?quota\b",
        "mailbox-full",
        "452 Quota exceeded, message delivery failed to /var/mail/ada/INBOX",
        "Maildrop, dovecot",
    ),
    Rule(
        r"\b(?:mailbox|inbox|account)(?:'s)? (?:size|storage|space)?.{0,20}\b(?:limit|maximum|capacity|"
        r"allocation)\b.{0,30}\b(?:exceed|reach|hit)|\baccount storage limit\b",
        "mailbox-full",
        "452 <a@example.com> Mailbox size limit exceeded",
        "sendmail milters",
    ),
    Rule(
        r"\b(?:exceed(?:ed|s|ing)?|over|exhausted|reached|used up|consumed)\b.{0,30}\b(?:mailbox|inbox|"
        r"account|storage|disk space|allocated|allotted|allowed|their space|its space|"
        r"disk).{0,30}\b(?:size|limit|space|capacity|allocation|allowance|storage|full)\b",
        "mailbox-full",
        "The recipient has exceeded their allotted disk space",
        "many",
    ),
    Rule(
        r"\b(?:mailbox|inbox|account|user)\b.{0,30}\b(?:out of|no|insufficient|"
        r"not enough) (?:storage|space|room)\b|"
        r"\b(?:not enough|insufficient|no|out of|lack of|low on) (?:mail |mailbox |disk |free |"
        r"user )?(?:storage|space|room)\b.{0,40}\b(?:mailbox|inbox|account|user|recipient|left|for|in|"
        r"and)\b",
        "mailbox-full",
        "452 4.2.2 The recipient's inbox is out of storage space",
        "Gmail",
    ),
    Rule(
        r"\b(?:mailbox|inbox|user|account|recipient)\b.{0,30}\b(?:has too many|contains too many|"
        r"holds too many)\b.{0,20}\b(?:messages|mails)\b|\btoo many (?:messages|mails) in (?:the |"
        r"this )?(?:mailbox|inbox)|\btoo much mail data\b|\bmailbox has exceeded\b|\boverdrawn\b|"
        r"\bmaildir (?:is )?over|\bover (?:its|the|their|his)? ?(?:size|storage|mailbox|message|mail)? ?limit\b|"
        r"\bexceeds? allowed message count|\bmail ?box (?:is )?too (?:large|big)|"
        r"\bmail ?file (?:is )?full|\bmail ?box (?:has )?reached|\bmail ?box (?:space|"
        r"storage) (?:is )?not enough|\bmailbox exceeds? allowed|\b(?:mail)?folder is full|"
        r"\bmailbox\b.{0,20}\bexceed\w{0,3}\b.{0,30}\blimit",
        "mailbox-full",
        "550 User has too many messages on the server.",
        "Freenet",
    ),
    Rule(
        r"\bpostfach\b.{0,40}\b(?:voll|uberfull|ist full|zu gro)|\bspeicherplatz\b.{0,40}\b(?:erschopft|"
        r"voll|uberschritten)|\bzu ?viele mails auf dem server\b|\bkontingent\b.{0,30}\buberschritten",
        "mailbox-full",
        "Das Postfach des Empfängers ist voll.",
        "GMX, WEB.DE, T-Online",
    ),
    Rule(
        r"\bboite\b.{0,40}\bpleine\b|\bquota\b.{0,20}\bdepasse|\bdepass\w{0,6} (?:son |le |de )?quota\b|"
        r"\bbuzon\b.{0,30}\bllen[oa]\b|\bbuzon\b.{0,40}\bexcedid|\bcasella\b.{0,40}\bpiena\b|"
        r"\bcaixa\b.{0,40}\bcheia\b|\bcota\b.{0,30}\b(?:excedid|superad)",
        "mailbox-full",
        "La boîte aux lettres du destinataire est pleine.",
        "Orange, Telefónica, Libero",
    ),
    Rule(
        r"почтовый ящик.{0,40}(?:переполнен|полон)|ящик.{0,40}переполнен|"
        r"メールボックスが(?:いっぱい|一杯|満杯)|"
        r"容量.{0,20}(?:超え|超過|オーバー)|邮箱.{0,10}(?:已满|满)|邮箱空间不足",
        "mailbox-full",
        "Почтовый ящик получателя переполнен",
        "Mail.ru, Yandex, Japanese and Chinese providers",
    ),
    *ROOM,
)

#: Asked after RATE, which knows the quotas of senders.
QUOTA = (
    Rule(
        r"(?<![\w.-])quotas?\b(?![\w-]*\.\w)",
        "mailbox-full",
        "550 5.1.1 quota",
        "no refusal that speaks of a quota, in whatever language, is about an address that does not exist",
    ),
)

TOO_LARGE = (
    Rule(
        r"\b(?:message|mail|email|e-mail|attachment|data|body)s?\b.{0,30}\b(?:is |are |"
        r"was )?(?:too (?:large|big)|larger than|exceeds? (?:the )?(?:size|maximum|max|limit|fixed|"
        r"allowed|permitted))",
        "message-too-large",
        "552 5.3.4 Message too big for system",
        "many",
    ),
    Rule(
        r"\b(?:message|mail|e-?mail|header|mime|body|attachment)s?(?: file)?[ -](?:size|"
        r"length)\b.{0,40}\b(?:exceed|limit|too|larger|above|over)",
        "message-too-large",
        "552 Message size exceeds fixed maximum message size (10485760)",
        "sendmail, Postfix",
    ),
    Rule(
        r"\bmax(?:imum)? (?:allowed |permitted )?(?:message|mail|e-?mail|data)? ?size\b|"
        r"\bsize limit\b.{0,40}\bexceed|\bexceed(?:ed|s|ing)?\b.{0,40}\b(?:message|mail|e-?mail|"
        r"attachment|header)s?(?: name| header)?(?:'s)? ?(?:size)? ?limits?\b|\bexceeds size limit\b|"
        r"\bclass=size limit\b",
        "message-too-large",
        "550 RCPT TO:<a@example.com> max message size exceeded",
        "several",
    ),
    Rule(
        r"\b(?:recipsizelimit|sendsizelimit|recipientsizelimit)|\bexceeds google'?s? (?:limit|message|"
        r"header)|\bnumber of attachments\b.{0,40}\bexceed|\b(?:line|header|message) (?:limit exceeded|"
        r"(?:is )?too long)|\bsize\b.{0,40}\bbigger than\b|\btoo big\b|\blimit of \d{1,10} ?(?:kb|mb|"
        r"bytes) (?:for )?(?:message|mail)|\bexceeds? administrative limit",
        "message-too-large",
        "550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient",
        "Exchange, Gmail",
    ),
    Rule(
        r"\bnachricht\b.{0,30}\bzu gro|\bmessage\b.{0,30}\btrop (?:grand|gros|volumineux|long)|"
        r"\bmensaje\b.{0,30}\bdemasiado grande|サイズ.{0,20}(?:超え|超過|大きすぎ)|слишком больш",
        "message-too-large",
        "Die Nachricht ist zu groß.",
        "regional",
    ),
)

RATE = (
    Rule(
        r"\b(?:receiving|received|getting)\b.{0,20}\bmails?\b.{0,20}\b(?:too (?:quickly|fast)|at a rate)|"
        r"\bat a rate that\b|\brate that prevents\b",
        "over-rate",
        "450 4.2.1 The user you are trying to contact is receiving mail too quickly.",
        "Gmail, Yahoo",
    ),
    Rule(
        r"\btoo many (?:concurrent |simultaneous |open |smtp |incoming |parallel )*(?:connections?|"
        r"sessions?|threads)\b|\bmax(?:imum)?(?: number of)? (?:concurrent |smtp )?(?:connections?|"
        r"message per connection|messages per connection)\b|\bmaximum number of connections|"
        r"\bconnections? (?:rate|frequency|count)? ?(?:limit|limited|exceeded|refused: too many)|"
        r"\btrop de connexions",
        "over-rate",
        "452 4.3.2 Connection rate limit exceeded.",
        "Postfix, Orange, Tencent",
    ),
    Rule(
        r"\btoo many (?:recipients|messages|mails|e-?mails|rcpts?|errors|deliveries|requests)\b|"
        r"\bsent to too many\b|\bexceed(?:ed|s|ing)? (?:the )?(?:outbound|thread|tenant|threshold|message|"
        r"sending|hourly|daily|relay|rate|recipient) ?(?:thread )?(?:limit|threshold|rate)|"
        r"\bmessage threshold exceeded|\bexceeded threshold",
        "over-rate",
        "550 5.5.3 Too many recipients for this sender",
        "many",
    ),
    Rule(
        r"\b(?:daily|hourly|hour|per[- ]hour|minute|sending|submission|relay|receive|peak smtp relay|"
        r"thread) (?:user |smtp |message |relay |sending |receive )*(?:quota|limit|rate)\b|"
        r"\bthis mail has been rate limited\b(?! because| due)|\brate[ -]?limit(?:ed|ing)?\b(?! because|"
        r" due|\.? for more| to ip)|\bfrequency limited\b|\bexceeded their limit\b|\bthrottl(?:ed|ing)\b|"
        r"\bslow(?:ing)? down\b",
        "over-rate",
        "550 5.4.5 Daily user sending limit exceeded",
        "Gmail, Exchange Online, Tencent",
    ),
    Rule(
        r"\bserver (?:is )?(?:too )?busy\b|\bsystem (?:is )?(?:too )?busy\b|\bagent busy\b|"
        r"\bload (?:average )?(?:is )?too high\b|\btry again later, closing connection|\bsystem load\b",
        "over-rate",
        "451 4.7.500 Server busy. Please try again later",
        "Exchange Online",
    ),
)
