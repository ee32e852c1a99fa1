"""The staff pages of mailinglist. They read models and call the capability functions; no rule lives here."""

from mailinglist.admin import (
    attributes,
    audit,
    campaigns,
    deliveries,
    imports,
    lists,
    managers,
    segments,
    subscribers,
    suppressions,
    tags,
)

__all__ = [
    "attributes",
    "audit",
    "campaigns",
    "deliveries",
    "imports",
    "lists",
    "managers",
    "segments",
    "subscribers",
    "suppressions",
    "tags",
]
