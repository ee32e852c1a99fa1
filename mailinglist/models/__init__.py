"""The nouns of mailinglist. Nothing here acts; the functions in mailinglist/*.py are the only writers."""

from mailinglist.models import lookups as lookups
from mailinglist.models.audit import Change
from mailinglist.models.campaigns import Campaign, CampaignDraft, CampaignRevision, CampaignVersion
from mailinglist.models.consent import ConsentRecord
from mailinglist.models.counts import CampaignCount, ListCount, ListDay
from mailinglist.models.deliveries import Attempt, Delivery, SendBudget
from mailinglist.models.engagement import Engagement
from mailinglist.models.gate import AskedAddress, FormStep, SignUpCount
from mailinglist.models.home import Home
from mailinglist.models.images import MailImage
from mailinglist.models.imports import Import, ImportBadRow, ImportedBefore, ImportPart
from mailinglist.models.lists import ListLogo, MailingList, Subscription
from mailinglist.models.outside import LinkCheck, SenderCheck
from mailinglist.models.pace import ProviderPace
from mailinglist.models.people import Approval, Membership
from mailinglist.models.subscribers import Subscriber, Suppression, new_token
from mailinglist.models.templates import Template

__all__ = [
    "Approval",
    "AskedAddress",
    "Attempt",
    "Campaign",
    "CampaignCount",
    "CampaignDraft",
    "CampaignRevision",
    "CampaignVersion",
    "Change",
    "ConsentRecord",
    "Delivery",
    "Engagement",
    "FormStep",
    "Home",
    "Import",
    "ImportBadRow",
    "ImportPart",
    "ImportedBefore",
    "LinkCheck",
    "ListCount",
    "ListDay",
    "ListLogo",
    "MailImage",
    "MailingList",
    "Membership",
    "ProviderPace",
    "SendBudget",
    "SenderCheck",
    "SignUpCount",
    "Subscriber",
    "Subscription",
    "Suppression",
    "Template",
    "new_token",
]
