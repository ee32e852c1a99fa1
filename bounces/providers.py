"""PURE. Which provider an address belongs to: the large ones by all their domains, everybody else by the domain.

Used wherever bounces are compared within one provider: incidents, the provider pages, the filter of events. A
domain of a company whose mail lies at a large provider counts as a provider of its own, because no DNS is asked.
"""

#: provider → the domains whose mail its servers take. Sources: the providers' own sign-up pages and MX records.
GROUPS: dict[str, tuple[str, ...]] = {
    "gmail.com": ("gmail.com", "googlemail.com"),
    "outlook.com": (
        "outlook.com", "hotmail.com", "live.com", "msn.com", "outlook.de", "outlook.fr", "hotmail.co.uk",
        "hotmail.de", "hotmail.fr", "hotmail.it", "hotmail.es", "live.co.uk", "live.de", "live.fr", "live.nl",
    ),
    "yahoo.com": (
        "yahoo.com", "ymail.com", "rocketmail.com", "aol.com", "aim.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr",
        "yahoo.it", "yahoo.es", "yahoo.ca", "yahoo.com.br", "yahoo.co.in",
    ),
    "icloud.com": ("icloud.com", "me.com", "mac.com"),
    "gmx.net": ("gmx.net", "gmx.de", "gmx.at", "gmx.ch", "gmx.com"),
    "web.de": ("web.de",),
    "proton.me": ("proton.me", "protonmail.com", "protonmail.ch", "pm.me"),
    "orange.fr": ("orange.fr", "wanadoo.fr"),
    "mail.ru": ("mail.ru", "inbox.ru", "list.ru", "bk.ru"),
    "yandex.ru": ("yandex.ru", "yandex.com", "ya.ru"),
    "qq.com": ("qq.com", "foxmail.com"),
}  # fmt: skip
_PROVIDER = {domain: provider for provider, domains in GROUPS.items() for domain in domains}


def of_domain(domain: str) -> str:
    """The provider of a domain name: lower case, never empty for a domain that is not."""
    domain = domain.strip().rstrip(".").lower()
    return _PROVIDER.get(domain, domain)


def of_address(address: str) -> str:
    """The provider of an address, or "" where there is no @ in it."""
    return of_domain(address.rpartition("@")[2]) if "@" in address else ""


def domains(provider: str) -> tuple[str, ...]:
    """All domains that count as ``provider``."""
    return GROUPS.get(provider, (provider,))
