"""``python -m sandbox``: read the options, listen on loopback, serve until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import errno
import gc
import ipaddress
import json
import logging
import os
import re
import signal
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from sandbox import faults
from sandbox.app import build
from sandbox.faults import Config, ConfigError
from sandbox.state import DirectoryBusy, Options, Sandbox

EXAMPLE = """\
example:
  python -m sandbox --port 8025 --state var/sandbox --hook http://127.0.0.1:8000/hooks/ses/ \\
      --topic arn:aws:sns:us-east-1:000000000000:mailinglist-local \\
      --config '{"max_send_rate": 200, "mix": {"hard": 0.03, "soft": 0.04}}'

Then give the address as endpoint to boto3 (sesv2, sns) and open it in a browser: the inbox is there. The file
ca.pem in the state directory is what the receiver of the events has to trust.
"""
#: Calls that are still at work when the process is told to stop.
SECONDS_TO_FINISH = 0.7


class StartError(Exception):
    """Why the process does not start, in one sentence for people."""


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 after a stop by signal, 2 when it could not start."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    given = _parser().parse_args(arguments)
    os.umask(0o077)  # what is kept holds addresses, and links that act for people
    try:
        with _listener(given.host, given.port) as listener:
            asyncio.run(_serve(_sandbox(_options(given, listener)), listener))
    except (StartError, DirectoryBusy) as error:
        print(f"The local SES does not start: {error}", file=sys.stderr)
        return 2
    return 0


def _sandbox(options: Options) -> Sandbox:
    try:
        return Sandbox(options)
    except OSError as error:
        raise StartError(f"--state {options.directory} cannot be used: {error}.") from error


async def _serve(sandbox: Sandbox, listener: socket.socket) -> None:
    stopped = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stopped.set)
    runner = web.AppRunner(build(sandbox), access_log=None, shutdown_timeout=SECONDS_TO_FINISH)
    await runner.setup()
    await sandbox.start()
    await web.SockSite(runner, listener, backlog=1024).start()
    events = "bare mode, no events" if sandbox.options.bare else f"events go to {sandbox.options.hook}"
    print(f"The local SES is ready at {sandbox.options.base_url}/ ({events}).", flush=True)
    await stopped.wait()
    await runner.cleanup()
    await sandbox.stop()
    # Everything is on the disk; without this the end of the interpreter would search all open events for cycles.
    gc.freeze()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A local Amazon SES with SNS events and an inbox. It sends nothing anywhere.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, required=True, help="where to listen; 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: 127.0.0.1)")
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="where everything is kept")
    parser.add_argument("--hook", default="", metavar="URL", help="who gets the events")
    parser.add_argument("--topic", default="", metavar="ARN", help="the SNS topic that the events come from")
    parser.add_argument(
        "--config", default="{}", metavar="FILE|JSON", help="switches to start with (see sandbox/faults.py)"
    )
    parser.add_argument(
        "--confirmed", action="store_true", help="no SNS handshake: the hook is subscribed already"
    )
    parser.add_argument(
        "--bare", action="store_true", help="for benchmarks: accept and count, no events, no inbox"
    )
    return parser


def _listener(host: str, port: int) -> socket.socket:
    try:
        loopback = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise StartError(f"--host {host} is not an address; use 127.0.0.1.") from error
    if not loopback.is_loopback:
        raise StartError(
            f"--host {host} can be reached by others; it listens on loopback only, such as 127.0.0.1."
        )
    if not 0 <= port <= 65535:
        raise StartError(f"--port {port} is not a port; use 1 to 65535, or 0 for a free one.")
    family = socket.AF_INET6 if loopback.version == 6 else socket.AF_INET
    try:
        return socket.create_server((str(loopback), port), family=family, backlog=1024)
    except OSError as error:
        reason = (
            "is taken; stop what uses it or choose another one"
            if error.errno == errno.EADDRINUSE
            else error.strerror
        )
        raise StartError(f"port {port} on {host} {reason}.") from error


def _options(given: argparse.Namespace, listener: socket.socket) -> Options:
    host, port = listener.getsockname()[:2]
    base_url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    hook, topic = given.hook, given.topic
    if given.bare:
        hook, topic = hook or base_url, topic or "arn:aws:sns:us-east-1:000000000000:bare"
    if urlsplit(hook).scheme not in ("http", "https") or not urlsplit(hook).hostname:
        raise StartError(
            f"--hook {hook!r} is not a web address; give one such as http://127.0.0.1:8000/hooks/ses/."
        )
    if not re.fullmatch(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}", topic):
        raise StartError(f"--topic {topic!r} is not an SNS topic; write arn:aws:sns:REGION:ACCOUNT:NAME.")
    return Options(
        directory=given.state,
        base_url=base_url,
        hook=hook,
        topic_arn=topic,
        config=_config(given.config),
        confirmed=given.confirmed,
        bare=given.bare,
    )


def _config(text: str) -> Config:
    """The defaults with what ``--config`` says, JSON or the name of a file of it."""
    where = "--config"
    if not text.lstrip().startswith("{"):
        where = f"--config {text}"
        try:
            text = Path(text).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StartError(f"{where} cannot be read: {error}.") from error
    try:
        return faults.merge(Config(), json.loads(text))
    except ConfigError as error:
        raise StartError(f"{where}: {error}") from error
    except ValueError as error:
        raise StartError(f"{where} is not valid JSON: {error}.") from error


if __name__ == "__main__":
    sys.exit(main())
