"""Starting and testing everything with Python's standard library alone: this runs before anything is installed.

- ``start`` and ``test`` are the commands, ``starting.py`` and ``testing.py`` their work; ``commands.py`` is
  manage.py's; ``environment.py`` makes ``.venv`` for all of them.
- ``embedded.py`` names what lives under ``var/`` (the settings ask it), ``postgres.py`` and ``valkey.py`` run the
  embedded servers, ``account.py`` lets PostgreSQL run where we are root, ``binaries.py`` finds the programs,
  ``locks.py`` tells who owns a server.
- ``services.py`` are the other programs, ``supervisor.py`` keeps all of them running, ``processes.py`` starts and
  ends children so that none outlives its parent.
- ``project.py`` asks manage.py, ``demo.py`` is the demo.
"""
