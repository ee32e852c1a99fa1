"""The one signal of the project. Everything else is a call downward: see docs/architecture.md."""

from django.dispatch import Signal

#: Sent by erasure.py in its transaction, while the people's rows are still there and locked. ``people``: a sequence of
#: erasure.Erased. Whoever holds an address in tables of their own takes it out before they return.
subscriber_erased = Signal()
