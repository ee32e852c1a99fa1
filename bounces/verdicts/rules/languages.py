"""PURE. What spares a person, in the languages of the world's mail systems: a full mailbox, a refusal of our server,
of our sender or of the mail. Texts are folded: Latin letters come without accents, other scripts as they are.

Most of these servers put such words behind 550 5.1.1, so that nothing else speaks for the person.
"""

from bounces.verdicts.rules.rule import Rule

ROOM = (
    Rule(
        r"\b(?:mailbox|postfach|postkorb|posteingang|konto)\b.{0,40}\bvoll\b|\bkein (?:freier )?speicherplatz|"
        r"\b(?:quota|limit|speicherlimit)\b.{0,20}\buberschritten|"
        r"\b(?:postbus|postvak|mailbox|inbox|brievenbus)\w{0,3}\b.{0,40}\bvol\b|"
        r"\b(?:quot(?:a|um)|opslaglimiet|limiet)\b.{0,30}\boverschreden|\bonvoldoende (?:schijf|opslag)?ruimte",
        "mailbox-full",
        "550 5.1.1 De mailbox van de ontvanger zit vol",
        "German and Dutch servers",
    ),
    Rule(
        r"\b(?:brevlada|inkorg|postlada|postkasse|mailboks|postboks|indbakke|innboks|indboks)\w{0,4}\b.{0,40}\b"
        r"(?:full|overfull|fuld|fyldt|overfyldt|overfylt)\b|\bkvot\w{0,4}\b.{0,30}\bover(?:skrid|skred|stig)|"
        r"postilaatik\w{0,8}\b.{0,40}\btaynna|\bkiintio\w{0,4}\b.{0,30}\bylit|"
        r"\bpostkast\w{0,4}\b.{0,40}\btais\b|\bpastkast\w{0,4}\b.{0,40}\bpiln[as]\b|"
        r"\bdezut\w{0,4}\b.{0,40}\b(?:piln[as]\b|perpildyt)",
        "mailbox-full",
        "550 5.1.1 Modtagerens postkasse er fuld",
        "Danish, Norwegian, Swedish, Finnish and Baltic servers",
    ),
    Rule(
        r"\b(?:skrzynk|kont)\w{0,4}\b.{0,40}\b(?:pe[łl]n[aey]\b|przepe[łl]nion|zape[łl]nion)|\b(?:limit|pojemnosc|"
        r"miejsc|quot|kwot|"
        r"przydzia[łl])\w{0,4}\b.{0,40}\bprzekroczon|\bprzekrocz(?:on|y[łl])\w{0,4}\b.{0,40}\b(?:limit|pojemnosc|quot|"
        r"kwot|"
        r"przydzia[łl]|miejsc)|\bbrak (?:wolnego )?miejsca|\bpln\w{1,3} schrank|\bschrank\w{0,4}\b.{0,40}\b(?:je pln|"
        r"plna|preplnen|"
        r"zaplnen|naplnen)|\b(?:kvot|limit)\w{0,4}\b.{0,30}\bprekrocen|\bprekrocen\w{0,4}\b.{0,30}\b(?:kvot|"
        r"limit)|\b(?:sanducic|pretinac|nabiralnik|predal)\w{0,4}\b.{0,40}\b(?:pun|poln|prepunjen|prepoln)",
        "mailbox-full",
        "550 5.1.1 skrzynka odbiorcy jest pełna",
        "Polish, Czech, Slovak, Slovene and Croatian servers",
    ),
    Rule(
        r"\b(?:postafiok|postalada)\w{0,6}\b.{0,40}\b(?:megtelt|betelt|tele)\b|\bkvot\w{0,6}\b.{0,30}\btullep|"
        r"\bkutu\w{0,6}\b.{0,40}\bdol(?:u|du|mus)|\b(?:kota|limit)\w{0,6}\b.{0,30}\b(?:dol(?:u|du|mus)|as(?:ıl|tı|ım|"
        r"il|ti|im))|"
        r"\b(?:casut|cuti)\w{0,4}\b.{0,40}\bplin|\bkotak (?:masuk|surat|pos)\b.{0,40}\bpenuh|"
        r"\bkuota\b.{0,30}\b(?:terlampaui|melebihi|habis)|\bhop thu\b.{0,40}\b[đd]ay\b|"
        r"\bvuot qua\b.{0,30}\b(?:han muc|dung luong|quota)",
        "mailbox-full",
        "550 5.1.1 Alıcının posta kutusu dolu",
        "Hungarian, Turkish, Romanian, Indonesian and Vietnamese servers",
    ),
    Rule(
        r"\b(?:boite|messagerie|compte)\b.{0,40}\b(?:plein|sature)|"
        r"\bespace (?:disque |de stockage )?(?:est )?(?:insuffisant|depasse|plein)|"
        r"\b(?:cuota|cota|quota|spazio|espacio|espaco|capacidad|capacidade)\b.{0,40}\b(?:exce(?:d|s)|supera|"
        r"sobrepasad|ultrapassad|rebasad|agotad|esgotad|esaurit|insufficient|insuficient)|"
        r"\b(?:exced|super|ultrapass)\w{0,5}\b.{0,30}\b(?:cuota|cota|quota)\b|"
        r"\b(?:bandeja|casilla|buzon)\b.{0,40}\bllen[oa]\b|\bcaixa\b.{0,40}\blotad|\bsin espacio\b",
        "mailbox-full",
        "550 5.1.1 cuota excedida",
        "French, Spanish, Italian and Portuguese servers",
    ),
    Rule(
        r"(?:ящик|скриньк|кути).{0,40}(?:полон|заполнен|переполн|заповнен|переповнен|повна|повний|е пълн|препълн)|"
        r"квот.{0,30}(?:прев[иы]ш|перевищ|исчерпан|вичерпан|надвишен)|"
        r"(?:прев[иы]ш|перевищ|исчерпан|вичерпан|надвишен).{0,30}(?:квот|лимит.{0,20}ящик|ліміт.{0,20}скриньк)|"
        r"(?:недостаточно|нет|недостатньо|немає) (?:свободного |вільного )?м[еі]ст|"
        r"(?:γραμματοκιβ|θυρ[ιί]δ|εισερχ[οό]μ).{0,40}(?:γεμ[αά]τ|πλ[ηή]ρ[ηε]ς)|υπ[εέ]ρβαση.{0,20}ορ[ιί]ου",
        "mailbox-full",
        "550 5.1.1 Превышена квота",
        "Russian, Ukrainian, Bulgarian and Greek servers",
    ),
    Rule(
        r"תיב[הת].{0,40}מלאה|חריגה מ.{0,10}מכס|صندوق.{0,40}(?:ممتل|مليء|پر)|تجاوز.{0,30}(?:الحصة|السعة|المساحة)|"
        r"(?:กล่อง|ตู้)จดหมาย.{0,40}เต็ม",
        "mailbox-full",
        "550 5.1.1 صندوق البريد ممتلئ",
        "Hebrew, Arabic, Persian and Thai servers",
    ),
    Rule(
        r"(?:邮箱|郵箱|信箱|收件箱|收件匣|邮件箱).{0,20}(?:满|滿|不足|超出|超过|超過)|"
        r"(?:容量|空间|空間|配额|配額).{0,20}(?:不足|已满|已滿|超|用尽|用完)|超.{0,6}(?:配额|配額)|"
        r"メールボックス.{0,20}(?:いっぱい|一杯|満杯|容量)|容量(?:不足|.{0,10}オーバー)|"
        r"(?:사서함|메일함|편지함|우편함|메일박스).{0,20}(?:가득|꽉|용량|초과)|(?:용량|할당량).{0,10}(?:초과|부족)",
        "mailbox-full",
        "550 5.1.1 收件人信箱已滿",
        "Chinese, Japanese and Korean servers",
    ),
)

OUR_SERVER_ABROAD = (
    Rule(
        r"\bliste noire|\blist[ae] (?:nera|negra|neagra)\b|\bkara liste|\bczarn\w{1,3} lis[ct]|\bcern\w{1,3} listin|"
        r"\bzwarte lijst|\bsvartlist|\bsvartelist|\bsortlist|\bmusta\w{0,3} list|\bsperrliste|\bschwarze\w? liste|"
        r"\bfeketelist|\btiltolist|\bdanh sach [đd]en|(?:ч[её]рн|чорн)\w{1,3} спис|黑名单|黑名單|ブラックリスト|"
        r"블랙리스트|"
        r"μα[υύ]ρη λ[ιί]στα|القائمة السوداء|רשימה שחורה",
        "blocklist",
        "550 5.1.1 Messaggio rifiutato: indirizzo IP in lista nera",
        "many languages' word for a blocklist",
    ),
    Rule(
        r"(?<!<)\bip\b.{0,40}\b(?:bloqu|refus|rejet|interdit|banni|bloccat|rifiutat|respint|rechazad|denegad|"
        r"rejeitad|recusad|n'est pas autoris|non (?:e )?autorizzat|na?o (?:esta )?(?:permitid|autorizad)|zablokowan|"
        r"odrzucon|geblokkeerd|geweigerd|engellen|"
        r"reddedil|yasak|blokovan|zablokovan|blockerad|sparrad|blokeret|blokkert|estetty|blokkol|tilt|blocat|"
        r"gesperrt|blockiert|abgelehnt|abgewiesen|diblokir|bi chan)",
        "blocklist",
        "550 5.1.1 Votre message a été refusé: adresse IP bloquée",
        "servers that tell our IP address in their own language that it is blocked",
    ),
    Rule(
        r"\b(?:votre|vos|il (?:tuo|vostro|suo)|tu|su|seu|vosso|o seu|uw|ihr|euer|twoj|panstwa|vas|din|deres|"
        r"a kuldo)\w{0,2} (?:mail ?)?sz?er[vw]\w{1,6}\b.{0,30}\b(?:bloqu|bloc|refus|rejet|rifiut|rechaz|"
        r"rejeit|recus|zablok|odrzuc|geblok|geweig|blok|block|gesperrt|abgelehnt|abgewiesen|n'est pas autoris|"
        r"non (?:e )?autorizzat|na?o (?:esta )?autorizad)|"
        r"\bsunucu\w{0,6}\b.{0,30}\b(?:engel|redded|yasak)",
        "blocklist",
        "550 5.1.1 Twój serwer jest zablokowany",
        "servers that tell ours in their own language that it is blocked",
    ),
    Rule(
        r"(?:(?<!<)\bip|ваш\w{0,3} (?:почтовый )?сервер|сервер\w{0,2} отправител|ваш\w{0,3} адрес).{0,40}"
        r"(?:заблокирован|отклон|запрещ|заблокован|відхилен|блокиран)|"
        r"(?:(?<!<)ip|아이피|(?:발신|보내는|귀하의) ?서버).{0,20}(?:차단|거부)|"
        r"(?:(?<!<)ip|接続元|送信元(?:サーバー?|ホスト)|送信サーバー?).{0,20}(?:ブロック|拒否|遮断|規制)|"
        r"(?:(?<!<)ip|(?:您|你|贵方|发件|發件|发信|寄件)的?(?:服务器|伺服器|域名)).{0,20}(?:封锁|封鎖|屏蔽|拒绝|拒絕|"
        r"阻止|阻断|禁止|限制)|"
        r"(?:(?<!<)ip|διακομιστ).{0,40}αποκλε|(?:(?<!<)\bip|عنوان|خادم).{0,40}(?:محظور|حظر)|"
        r"(?:(?<!<)\bip|שרת).{0,30}(?:חסומ|חסום|נחסם)",
        "blocklist",
        "550 5.1.1 Ваш сервер заблокирован",
        "Russian, Ukrainian, Korean, Japanese, Chinese, Greek, Arabic and Hebrew servers",
    ),
    Rule(
        r"垃圾郵件|스팸|بريد مزعج|דואר זבל|ספאם|สแปม",
        "spam",
        "550 5.1.1 連線被拒絕 垃圾郵件",
        "many languages' word for spam",
    ),
    Rule(
        r"策略|政策|ポリシー|정책|سياسة|מדיניות|πολιτικ|\b(?:polity[kc]\w{1,3}|politi[ck]a|politikas|"
        r"politicas)\b(?!\.\w)",
        "policy",
        "550 5.1.1 拒收: 违反策略",
        "many languages' word for a policy",
    ),
    Rule(
        r"(?:连接|連接|連線|接続).{0,4}(?:拒绝|拒絕|拒否)",
        "connection",
        "550 5.1.1 連線被拒絕",
        "Chinese and Japanese servers",
    ),
)

SENDER_ABROAD = (
    Rule(
        r"(?<!a l')(?<!al )(?<!ao )(?<!do )(?<!an den )(?<!an )\b(?:expediteur|emetteur|remitente|mittente|"
        r"remetente|nadawc[ay]|odesilatel|odosielatel|absender(?:adresse|domain|domane)?|afzender|avsandare|"
        r"avsender|afsender|gonder(?:en|ici)|felado)\w{0,3}\b[^.:;]{0,40}\b(?:refus|rejet|bloq|invalid|inconnu|inexist|"
        r"n'existe|introuvable|rechaz|no existe|desconocid|no valid|rifiut|sconosciut|non esiste|rejeit|recus|"
        r"desconhecid|nao existe|odrzuc|nieznan|nie istnieje|zablok|odmit|neexist|neznam|unbekannt|ungultig|"
        r"existiert nicht|gesperrt|abgelehnt|onbekend|bestaat niet|geweiger|geblok|okand|finns inte|ukjent|ukendt|"
        r"findes ikke|finnes ikke|bulunamad|gecersiz|redded|ismeretlen|nem letez)",
        "sender-refused",
        "550 Le domaine de l'expéditeur n'existe pas",
        "servers that name our sender in their own language",
    ),
    Rule(
        r"отправител[яь][^.:;]{0,40}(?:не (?:существует|найден)|неизвест|отклон|заблокирован|недейств)|"
        r"(?:несуществующ|неизвестн|недействительн)\w{0,3} (?:адрес |домен )?отправител|"
        r"送信(?:者|元)(?:の)?(?:メール)?(?:アドレス|ドメイン)(?:が|は|を).{0,12}(?:存在し|不明|見つか|無効|拒否|"
        r"正しく)|"
        r"送信(?:者|元)(?:が|は|を).{0,6}(?:不明|無効|拒否)|"
        r"(?<!给)(?<!給)(?:发件人|寄件人|寄件者|发送者)(?:的)?(?:地址|域名|邮箱|網域|信箱)?.{0,4}(?:不存在|无效|無效|"
        r"拒绝|拒絕|被拒)|"
        r"(?:보낸 ?사람|발신자)(?:의)? ?(?:주소|도메인)?.{0,10}(?:없|거부|차단|존재하지)",
        "sender-refused",
        "550 送信者アドレスは存在しません",
        "Russian, Japanese, Chinese and Korean servers",
    ),
)

REFUSES_MAIL_ABROAD = (
    Rule(
        r"受信(?:制限|拒否|を拒否)|着信拒否|拒收(?:您|你)?的?(?:邮件|郵件|来信)|수신 ?거부",
        "mailbox-restricted",
        "550 5.1.1 受信制限により拒否されました",
        "Japanese carriers, Chinese and Korean providers: the person's own settings",
    ),
)
