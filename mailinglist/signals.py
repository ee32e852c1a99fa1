"""The three signals of the project. Everything else is a call downward: see docs/architecture.md."""

from django.dispatch import Signal

#: Sent by erasure.py in its transaction, while the people's rows are still there and locked. ``people``: a sequence of
#: erasure.Erased. Whoever holds an address in tables of their own takes it out before they return.
subscriber_erased = Signal()

#: Sent by suppression.py in its transaction when an address may get mail again that SES may still have on its list: only
#: the app that talks to that list can take it off, and a retry of today must not be swallowed.
address_released = Signal()

#: Sent by suppression.forget_bounces in its transaction when older bounces cease to count against a person, whose row is
#: locked: they confirmed again, or were restored or released. ``subscriber_id``: who. What is known of the address is
#: kept above us, and must not say something else until the next report about it.
bounces_forgiven = Signal()
