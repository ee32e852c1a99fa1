"""What servers write in many languages: what spares the person is understood, what does not exist stays so."""

import pytest

from bounces.verdicts.facts import BounceFacts
from bounces.verdicts.judge import judge
from bounces.verdicts.reasons import REASONS

#: Reason → texts that mean it.
SPARING = {
    "mailbox-full": (
        """Skrzynka odbiorcy jest przepełniona | skrzynka jest pelna | brak wolnego miejsca | przekroczony limit skrzynki
        postbus is vol | De mailbox van de ontvanger zit vol | quotum: quota overschreden
        Mottagarens brevlåda är full | kvoten har överskridits | Modtagerens postkasse er fuld
        Innboksen er full | Vastaanottajan postilaatikko on täynnä | schránka příjemce je plná
        schránka je preplnená | překročena kvóta | a címzett postafiókja megtelt
        posta kutusu dolu | alıcının kotası aşıldı | căsuța poștală este plină
        kotak surat penuh | hộp thư đã đầy | cuota excedida | quota superata
        caixa postal lotada | espace de stockage insuffisant
        la messagerie du destinataire est saturée | Превышена квота | ящик заполнен
        поштова скринька переповнена | пощенската кутия е пълна | Η θυρίδα είναι πλήρης
        Το γραμματοκιβώτιο είναι γεμάτο | תיבת הדואר מלאה | صندوق البريد ممتلئ | กล่องจดหมายเต็ม
        信箱已滿 | 邮箱容量不足 | 메일함 용량 초과 | 사서함이 가득 찼습니다
        メールボックスの容量が足りません | Mailbox ist voll | quota
        account over its message limit | Postvakken vol | Użytkownik przekroczył limit miejsca
        Příjemce má plnou schránku | Vastaanottajan sähköpostilaatikko on täynnä
        A címzett postaládája megtelt | Kullanıcının kotası dolmuş | Nabiralnik je poln
        Превышен лимит почтового ящика | ตู้จดหมายเต็ม | El usuario ha superado su cuota"""
    ),
    "blocklist": (
        """Votre adresse IP est bloquée | il tuo server è bloccato | indirizzo IP in lista nera
        tu IP está bloqueada | su servidor está bloqueado | seu IP está bloqueado
        Twój serwer jest zablokowany | adres IP na czarnej liście | Sunucunuz kara listede
        IP adresiniz engellendi | Ваш сервер заблокирован | Ваш IP в чёрном списке
        ваш IP заблоковано | あなたのIPアドレスはブロックされています | 接続元を拒否しました
        您的IP已被封锁 | 您的服务器被拒绝 | IP被列入黑名单 | 귀하의 IP가 차단되었습니다
        Uw IP-adres is geblokkeerd | váš server je zablokován | Din server är blockerad
        Votre adresse IP n'est pas autorisée | Il vostro server non è autorizzato
        寄件伺服器被封鎖 | a küldő szerver tiltólistán van | Unknown user or your network is not allowed
        Ihr Server ist gesperrt | عنوان IP محظور"""
    ),
    "server-error": (
        """User unknown because LDAP lookup temporarily failed
        lookup failure: backend database unavailable"""
    ),
    "temporary": (
        """Recipient unknown; temporarily deferred, please retry in 10 minutes
        user unknown, try again later
        we are migrating our mail system; user unknown until tomorrow
        no such user now, mail system under maintenance
        Bitte versuchen Sie es später erneut | Inténtelo más tarde | Spróbuj ponownie później
        Повторите попытку позже | 请稍后重试 | 後で再試行してください
        utilisateur temporairement inconnu
        пользователь временно не найден"""
    ),
    "mailbox-disabled": ("The recipient is out of office until 3 January | user is on vacation"),
    "mailbox-restricted": (
        "recipient has requested not to receive mail from you | 受信制限により拒否されました"
    ),
    "spam": ("連線被拒絕 垃圾郵件 | 스팸으로 분류되었습니다"),
    "policy": ("拒收: 违反策略 | ポリシーにより拒否"),
    "sender-refused": (
        """Reply-To address is invalid: no such user | unknown user <news@us.example> in MAIL FROM
        送信者アドレスは存在しません | Le domaine de l'expéditeur n'existe pas
        El dominio del remitente no existe | домен отправителя не существует
        Adres nadawcy nie istnieje | 发件人地址不存在 | Absenderdomain existiert nicht"""
    ),
    "malformed": (
        """no valid mailbox in From header: mailbox does not exist
        Message has no such user agent header"""
    ),
    "content-rejected": (
        """Your message contained an invalid URL: host not found
        link domain does not exist in DNS"""
    ),
}


@pytest.mark.parametrize("reason", SPARING)
def test_what_spares_the_person_is_understood_in_their_servers_language(reason: str) -> None:
    assert REASONS[reason].verdict != "hard"
    texts = [text.strip() for line in SPARING[reason].splitlines() for text in line.split("|")]
    for diagnostic in (code + text for text in texts for code in ("550 5.1.1 ", "550 ")):
        found = judge(BounceFacts("bounce", type="Permanent", subtype="NoEmail", diagnostic=diagnostic))
        assert found.reason == reason, diagnostic


@pytest.mark.parametrize(
    "text",
    [
        "Retour à l'expéditeur : utilisateur inconnu",
        "Devuelto al remitente: el usuario no existe",
        "Возвращено отправителю: пользователь не найден",
        "送信者へ: 宛先が存在しません",
        "对方服务器拒绝: 用户不存在",
        "ящик полностью удален",
        "поштову скриньку повністю видалено",
        "skrzynka w pełni usunięta, nie ma takiego użytkownika",
        "hộp thư đã bị xóa",
        "host mx.example[192.0.2.1] отклонил: пользователь не найден",
        "User unknown, see https://quota.example/policy",
        "User unknown. Please check the address and try again",
        "a@quota.example: no such user",
        "The address was not found in our directory; see this link: https://help.example",
        "서버가 거부했습니다: 사용자 없음",
        "host mx.example[192.0.2.1] said: no such user, rejected",
        "Recipient unknown - client IP 192.0.2.1",
        "The account that you tried to reach does not exist. Please try double-checking the address",
        "recipient not in LDAP directory",
        "No account by that name here, no headers kept",
    ],
)
def test_an_unknown_address_stays_one_in_any_language(text: str) -> None:
    assert judge(BounceFacts("bounce", diagnostic=f"550 5.1.1 {text}")).reason == "user-unknown"
