"""The staff pages of mailinglist. They read models and call the capability functions; no rule lives here."""

from mailinglist.admin import (
    attributes,
    audit,
    campaigns,
    deliveries,
    images,
    imports,
    lists,
    managers,
    segments,
    subscribers,
    suppressions,
    tags,
    templates,
)

__all__ = [
    "attributes",
    "audit",
    "campaigns",
    "deliveries",
    "images",
    "imports",
    "lists",
    "managers",
    "segments",
    "subscribers",
    "suppressions",
    "tags",
    "templates",
]
