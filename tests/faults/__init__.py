"""The fault rig: real processes that are killed, cut off and lied to, and a checker that trusts none of them.

- ``servers.py`` PostgreSQL and Valkey · ``proxy.py`` the network between all of them · ``rig.py`` puts them together ·
  ``manager.py`` acts for the people (its own process, the only one with the app's code)
- ``checker.py`` the invariants I1–I6, from SQL and the ledger of the local SES alone
- ``rows/`` one function per row of the fault matrix, small or at full size · ``table.py`` their result
- ``test_*.py`` the small rows · ``__main__.py`` what script/faults runs · ``mutations.py`` proves that the rig can fail
"""
