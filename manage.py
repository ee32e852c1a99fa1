#!/usr/bin/env python3
"""Runs a command of the project (``./manage.py help`` lists them), whichever Python it is called with.

Uses the servers of a running script/start, or starts the embedded PostgreSQL for the time of the command.
"""

import os
import sys

from script import commands

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailinglist.settings")
    try:
        from mailinglist.management import running
    except ImportError:
        sys.exit(commands.again_in_venv([os.path.abspath(__file__), *sys.argv[1:]]))
    with commands.database(sys.argv):
        running.run(sys.argv)
