"""Starting and testing everything with Python's standard library alone: this runs before anything is
installed.

- ``start`` and ``test`` are the commands; ``environment.py`` makes ``.venv`` for both.
- ``embedded.py`` names what lives under ``var/`` (the settings ask it), ``postgres.py`` and ``valkey.py``
run the embedded servers, ``account.py`` lets PostgreSQL run where we are root, ``binaries.py`` finds the
programs.
- ``processes.py`` starts and ends children so that none outlives its parent.
"""
