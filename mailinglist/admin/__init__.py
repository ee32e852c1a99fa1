"""The staff pages of mailinglist. They read models and call the capability functions; no rule lives here."""

from mailinglist.admin import (
    audit,
    campaigns,
    deliveries,
    images,
    imports,
    lists,
    managers,
    subscribers,
    suppressions,
    templates,
)

__all__ = [
    "audit",
    "campaigns",
    "deliveries",
    "images",
    "imports",
    "lists",
    "managers",
    "subscribers",
    "suppressions",
    "templates",
]
