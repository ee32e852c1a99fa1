"""PURE. Wordings about the address itself: it does not exist, has moved, is switched off; its domain is not
there.
"""

from bounces.verdicts.rules.rule import Rule

DOMAIN = (
    Rule(
        r"\bhost not found, try again|\btemporary (?:dns|name|failure in name)|\bdns (?:query|"
        r"lookup) (?:failed|timed)|\bservfail",
        "connection",
        "Name service error for name=example.test type=MX: Host not found, try again",
        "Postfix: the name server did not answer, which says nothing about the domain",
    ),
    Rule(
        r"\bnull ?mx\b|\bmalformed (?:or unexpected )?name server reply|\bdoes(?: not|n't) (?:accept|"
        r"receive) (?:any )?(?:mail|e-?mail)(?! from)",
        "domain-not-found",
        "The domain example.test doesn't receive email according to the administrator: returned Null MX",
        "RFC 7505; Postfix before 3.0 calls it a malformed reply",
        final=True,
    ),
    Rule(
        r"\bhost (?:or domain name )?not found\b|\bhost unknown\b|\bdns records for the destination\b|"
        r"\bno (?:such )?(?:mail )?domain\b|\bcannot find (?:the )?(?:host|domain)\b|\bunknown host\b|"
        r"\bname or service not known|\bhost_not_found|\bno such (?:domain|host)|"
        r"\bdomain (?:name )?(?:<url>|[\w.-]{1,80})? ?(?:not found|does not exist|doesn't exist|"
        r"is unknown|unknown|not exist|cannot be found)|\bnxdomain|\bnonexistent ?domain|"
        r"\bnon-existent (?:domain|host)|\bunknown domain|\bunrouteable (?:mail )?domain|"
        r"\bunroutable (?:mail )?domain|\bunrouteable address\b(?! sender)|\bno (?:mx|mail) (?:record|"
        r"exchanger|host|server)s?\b|\bno mxs? (?:for|found|record)",
        "domain-not-found",
        "Host or domain name not found. Name service error for name=example.test type=A: Host not found",
        "Postfix, Exim, sendmail",
    ),
    Rule(
        r"\b(?:host|domain|server)\b.{0,60}\b(?:does not|doesn't|do not) (?:accept|receive|"
        r"handle)s? (?:any )?(?:mail|e-?mail|messages)(?! from)|"
        r"\bsystem (?:is )?not accepting network messages|\bmail exchanger\b.{0,40}\b(?:does not exist|"
        r"not found|unknown)|\bwe weren't able to find the recipient domain|"
        r"\bcouldn't find any host (?:named|by that name)|\bno a or mx|"
        r"\baddress resolution\b.{0,30}\bfailed|\bhost name lookup failure\b|\billegal host/domain name|"
        r"\bdomain isn't\b.{0,10}\bexist|\bdomain\b.{0,60}\bcouldn't be found|\bno route to domain",
        "domain-not-found",
        "521 5.3.2 System not accepting network messages",
        "RFC 7504, RFC 7505",
    ),
    Rule(
        r"(?:^|"
        r": )(?:smtp; ?)?(?:5\d\d )(?:5\.\d{1,3}\.\d{1,3} )?[\w-]{1,60}\.[\w.-]{1,80} (?:does not exist|"
        r"doesn't exist|nicht gefunden)",
        "domain-not-found",
        "553 neko.example.test does not exist",
        "Exim",
    ),
    Rule(
        r"\bname service error\b|\bdns (?:lookup|query|resolution|error)\b.{0,60}\b(?:fail|error|"
        r"no relevant|not found)|\bdomain (?:name )?lookup failed|"
        r"\binvalid (?:recipient )?domain\b(?! name)",
        "domain-not-found",
        "550 5.4.4 Invalid domain",
        "Postfix, SES",
    ),
    Rule(
        r"ホストが見つかりません|ドメイン.{0,10}(?:見つかり|存在し)|домен.{0,30}(?:не существует|не найден)|"
        r"\bdomane\b.{0,30}\bnicht|\bdomain\b.{0,30}\bexistiert nicht|\bdomaine\b.{0,30}\b(?:inconnu|"
        r"n'existe)|\bdominio\b.{0,30}\b(?:no existe|desconocido)",
        "domain-not-found",
        "Die Domain existiert nicht.",
        "regional",
    ),
)

MOVED = (
    Rule(
        r"\b(?:user|recipient|person|mailbox|account|address)\b.{0,40}\bhas (?:been )?(?:moved|relocated|"
        r"left)\b|\bhas left (?:the|this|our) (?:company|organi[sz]ation)|\bnot our (?:user|customer)\b|"
        r"\bno longer (?:on|at|with|works?|employed|here|in use|available|associated)\b|"
        r"\baddress (?:has )?changed\b|\buser not local; please try|\b5\.1\.6\b|"
        r"\bnew address\b.{0,20}\bis\b",
        "address-moved",
        "551 not our customer",
        "sendmail",
    ),
)

DISABLED = (
    Rule(
        r"\b(?:account|mailbox|user|recipient|address|e-?mail|mail box|id)\b.{0,60}\b(?:disabled|"
        r"suspended|inactive|locked|frozen|blocked|deactivated|discontinued|expired|closed|terminated|"
        r"not active|on hold|is off|restricted|unavailable temporarily|temporarily unavailable|gesperrt|"
        r"deaktiviert|bloque|suspendu|desactive|suspendid[oa]|bloquead[oa])\b",
        "mailbox-disabled",
        "550 5.2.1 The email account that you tried to reach is disabled.",
        "Gmail, many",
    ),
    Rule(
        r"\b(?:disabled|suspended|inactive|deactivated|locked|frozen|closed|expired|"
        r"terminated) (?:recipient|account|mailbox|user|address|e-?mail)|\bis no longer valid\b|"
        r"\b\[suspend\]|\b(?:casilla|cuenta|buzon)\b.{0,40}\b(?:expirad|suspendid|bloquead|desactivad|"
        r"deshabilitad|inactiv)|\bboite\b.{0,40}\barchivee|\bvacation mode|ящик.{0,40}(?:заблокирован|"
        r"отключен|неактивен)|アカウント.{0,20}(?:停止|無効)",
        "mailbox-disabled",
        "525 5.7.13 Disabled recipient address",
        "RFC 7504, sendmail",
    ),
)

AWAY = (
    Rule(
        r"\bout of (?:the )?office\b|\b(?:is|are|am) (?:currently |now )?on (?:vacation|holidays?|leave)\b|"
        r"\b(?:currently )?away (?:from the office |on vacation )?until\b|\bin vacation\b|\bim urlaub\b|"
        r"\bnicht im (?:buro|haus)\b|\ben vacances\b|\bde vacaciones\b|\bin ferie\b|\bde ferias\b|\bna urlopie\b|"
        r"\bna dovolene\b|\bop vakantie\b|в отпуске|у відпустці|休暇中|休假|휴가",
        "mailbox-disabled",
        "550 5.1.1 The recipient is out of office until 3 January",
        "gateways that make a refusal of an out-of-office note",
    ),
)

RESTRICTED = (
    Rule(
        r"\bmessage filtered\b|\bonly accept(?:s|ing)? mail from|\bnot accepting any mail|"
        r"\bnot currently (?:accepting|being accepted)|\b(?:user|recipient'?s?) (?:rules|filters?)\b|"
        r"\brefuse to receive|\bprotected by\b|\brestricted\b.{0,20}\bsms|\brecipient preferences\b|"
        r"\beach of the following recipients was rejected by a remote|\buser (?:refuses|rejected|"
        r"does not (?:want|accept))|\brecipient (?:refuses|does not want|has rejected|rejected your)|"
        r"\bdue to (?:extended )?inactivity|\brefused due to recipient|\b(?:requested|asked|chosen|elected|wish(?:es)?|"
        r"prefers?|wants?) (?:us )?not to receive|\bopted[- ]out\b|\bdoes(?: not|n't) (?:wish to (?:receive|get)|"
        r"want)\b|"
        r"\bunsubscribed\b",
        "mailbox-restricted",
        "550 5.1.1 RCP-P2 Refused due to recipient preferences",
        "Facebook",
    ),
)

UNKNOWN = (
    Rule(
        r"\b(?:user|recipient|mailbox|addressee|account|alias|rcpt|member|customer|username|user name|"
        r"login|destination|local part|mail box|box|name)\b.{0,60}\b(?:unknown|not found|"
        r"does ?n[o']t exist|does not exist|doesn't exist|dosn't exist|not exist|invalid|not known|"
        r"unavailable|not available|not valid|non-?existent|unrecogni[sz]ed|not listed|not recogni[sz]ed|"
        r"undeliverable|could not be found|cannot be found|couldn't be found|wasn't found|was not found|"
        r"not local|not here|undefined|rejected\.?$)\b",
        "user-unknown",
        "550 5.1.1 <a@example.com>: Recipient address rejected: User unknown in local recipient table",
        "Postfix, many",
    ),
    Rule(
        r"\b(?:unknown|no such|no known|invalid|nonexistent|non-existent|non existent|bad|incorrect|"
        r"not a (?:known|valid|local)|isn't a (?:known|valid)|not a|illegal|unable to find|"
        r"unrecogni[sz]ed|undeliverable|not an active|no active|wrong|no local|inexistent|not an existing|"
        r"unavailable) (?:or unavailable |or illegal |or unknown |local |e-?mail |mail |mailbox |"
        r"destination |recipient'?s? |to |rcpt |virtual |user'?s? |smtp )*(?:user|recipient|mailbox|"
        r"address|account|alias|person|addressee|mail ?box|rcpt|username|member|name|destination|id|"
        r"customer)s?\b",
        "user-unknown",
        "550 No such user here",
        "many",
    ),
    Rule(
        r"\b(?:user|recipient|mailbox|e?-?mail address|address|addressee|account|"
        r"person)s? (?:you.{0,40} )?(?:is|are|was) (?:not|no) (?:a |an |longer |currently |active |on |"
        r"in |known |found|known|listed|valid|here|available|hosted|local|recogni|exist|registered)|"
        r"\baddress(?:es)? (?:does not|doesn't|do not|not) (?:exist|found)|\baddress (?:unknown|invalid|"
        r"not found|rejected <addr>)|\baddress is not configured|"
        r"\baccount that you tried to reach does not exist|\bno mail ?box\b|"
        r"\bno one (?:here )?by that name|\bnot in (?:our |the )?(?:directory|database|list of users|"
        r"user list)|\bno recipient\b|\brecipnotfound|\brecipientnotfound|\badr\.\w{0,12}notfound|"
        r"\bdoesn't have an? .{1,80} account|\bhas no (?:mailbox|account)",
        "user-unknown",
        "554 delivery error: dd This user doesn't have a example.com account",
        "Yahoo, Exchange, qmail",
    ),
    Rule(
        r"<addr>[\s.:;,'\")]{0,6}(?:is |was )?(?:not (?:a )?(?:known|found|valid|exist|listed|"
        r"recogni[sz]ed|here)|does not exist|doesn't exist|unknown|invalid|undeliverable|nicht bekannt|"
        r"unbekannt)|\bcan(?:not|'t) (?:find|locate|deliver to) (?:your recipient|the recipient|user|"
        r"mailbox|this user|recipient|<addr>)|\bbad_?recipient\b|\bno_?such_?user\b|\buser_?unknown\b|"
        r"\binvalid_?(?:recipient|mailbox)\b|\brecipient (?:address )?rejected[.:]? ?(?:<addr>)?$|"
        r"\brecipient rejected\b|\baddress rejected <addr>|"
        r"\brequested action not taken:?(?: mailbox (?:unavailable|not found)| mailbox|$)|"
        r"\bmailbox unavailable\b|\bno account by that name|\bnot a deliverable|\brecipient unknown|"
        r"\binvalid final delivery user ?id\b|\bfinal e-?mail delivery point\b|"
        r"\bno valid recipients? for this\b|\bno ?(?:one|body) (?:here |at this |by that|with that)|"
        r"\b(?:find|locate) (?:a|any|the|that) (?:mailbox|user|account|recipient)|"
        r"\bbad[- ](?:destination )?mailbox|\bwrong or no longer valid|\bnot a recipient\b|"
        r"\bmissing home directory|\bunknown local[- ]?part|\bdestination addresses were unknown|"
        r"\bno account (?:here )?by|\baccount (?:is )?unavailable\b|\bunknown to (?:the )?(?:address|"
        r"system|server)",
        "user-unknown",
        "550 Requested action not taken: mailbox unavailable",
        "Hotmail, many",
    ),
    Rule(
        r"\b(?:empfanger|benutzer|nutzer|postfach|adresse|mailbox|account|teilnehmer|"
        r"konto)\b.{0,60}\b(?:unbekannt|nicht bekannt|existiert nicht|nicht gefunden|ungultig|"
        r"gibt es nicht|nicht vorhanden|nicht erreichbar|nicht existent|nicht bei uns)|\bkein (?:benutzer|"
        r"postfach|empfanger)|\bunbekannter? (?:empfanger|benutzer|adress)",
        "user-unknown",
        "Empfänger unbekannt oder nicht erreichbar",
        "T-Online, 1&1",
    ),
    Rule(
        r"\b(?:destinataire|utilisateur|adresse|boite|compte|usager)s?\b.{0,60}\b(?:invalide|inconnu|"
        r"n'existe pas|introuvable|inexistant|non trouve)|\b(?:destinatario|usuario|cuenta|direccion|"
        r"buzon|utente|indirizzo|usuario|conta|utilizador)\b.{0,60}\b(?:desconocid|no existe|inexistente|"
        r"no valid|sconosciut|non esiste|nao existe|desconhecid|no encontrad|no se encuentra|inesistente)",
        "user-unknown",
        "Adresse d au moins un destinataire invalide.",
        "Orange, Telefónica, Libero",
    ),
    Rule(
        r"(?:пользовател|адресат|ящик|получател|адрес).{0,60}(?:не существует|не найден|неизвест|"
        r"отсутствует|недействит)|(?:нет такого|такого) (?:пользовател|адрес|ящик)|(?:宛先|"
        r"アドレス|ユーザー?|"
        r"メールアドレス|受信者|あて先).{0,40}(?:見つかり|存在し|不明|正しく(?:な|あり)|"
        r"ありません|間違|誤り)|"
        r"(?:用户|收件人|邮箱|地址|账号).{0,20}(?:不存在|"
        r"未找到|无效)",
        "user-unknown",
        "Пользователь не найден",
        "Mail.ru, Japanese and Chinese providers",
    ),
)
