"""A mail server that speaks as much IMAP as the reader of the bounce mailbox asks for, with faults on request."""

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_COMMAND = re.compile(rb"(\S+) (UID \w+|\w+) ?(.*?)\r?\n", re.DOTALL | re.IGNORECASE)


@dataclass
class Mailbox:
    """``mails``: uid → bytes. ``broken``: uids that cannot be fetched. ``breaks_before``: commands at which the
    connection is lost. ``can_move``: whether the server knows MOVE (RFC 6851).
    """

    mails: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)
    done: dict[int, bytes] = field(default_factory=dict)
    broken: set[int] = field(default_factory=set)
    breaks_before: set[str] = field(default_factory=set)
    can_move: bool = True
    password: str = "p@ss/word"
    said: list[str] = field(default_factory=list)

    def add(self, *mails: bytes) -> None:
        for mail in mails:
            self.mails[max([0, *self.mails, *self.done]) + 1] = mail


@contextmanager
def serving(box: Mailbox) -> Iterator[str]:
    """The host and port of a server for ``box``."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"* OK ready\r\n")
            while line := self.rfile.readline():
                if not _answer(box, self, line):
                    return

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address, daemon_threads = True, True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def _answer(box: Mailbox, peer: socketserver.StreamRequestHandler, line: bytes) -> bool:
    match = _COMMAND.fullmatch(line)
    assert match, line
    tag, name, rest = match[1], match[2].decode().upper(), match[3].decode()
    box.said.append(f"{name} {rest}")
    if name in box.breaks_before:
        return False

    def reply(text: bytes = b"OK done", *lines: bytes) -> bool:
        peer.wfile.write(b"".join(b"* " + each + b"\r\n" for each in lines) + tag + b" " + text + b"\r\n")
        return name != "LOGOUT"

    uids = [int(part) for part in rest.split(" ")[0].split(",") if part.isdigit()]
    match name:
        case "CAPABILITY":
            return reply(b"OK done", b"CAPABILITY IMAP4rev1" + (b" MOVE" if box.can_move else b""))
        case "LOGIN":
            return reply() if box.password in rest else reply(b"NO wrong user or password")
        case "UID SEARCH":
            found = [uid for uid in box.mails if uid not in (box.seen if rest == "UNSEEN" else box.deleted)]
            return reply(b"OK done", b"SEARCH " + b" ".join(b"%d" % uid for uid in found))
        case "UID FETCH":
            if uids[0] in box.broken:
                return reply(b"NO the mail is damaged")
            size = int(re.search(r"<0\.(\d+)>", rest)[1])  # type: ignore[index]
            mail = box.mails[uids[0]][:size]
            peer.wfile.write(b"* 1 FETCH (UID %d BODY[]<0> {%d}\r\n" % (uids[0], len(mail)) + mail + b")\r\n")
            return reply()
        case "UID STORE":
            (box.seen if "Seen" in rest else box.deleted).update(uids)
        case "UID MOVE" | "UID COPY":
            for uid in uids:
                box.done[uid] = box.mails.pop(uid) if name == "UID MOVE" else box.mails[uid]
        case "EXPUNGE":
            for uid in box.deleted:
                box.mails.pop(uid, None)
    return reply()
