# SPDX-License-Identifier: Apache-2.0
"""A mailbox over IMAP with TLS from the first byte, which takes the protocol at its word.

deny(uid, times) makes it answer NO when that mail is fetched; hang_up() drops whoever is connected;
script("fetch", …) and the like are "drop" (close instead of the answer) or "torn" (the answer byte
by byte).  mistakes is what a client must never do, searches the ranges that were searched.
"""
import re
import socket
import ssl
import threading
import time

LINE_MAX = 8192


class Gone(Exception):
    """The client has left, or the server is closing."""


class Session:
    """One connection."""

    def __init__(self, server, sock):
        self.server = server
        self.sock = sock
        self.pending = b""
        self.user = None
        self.selected = False
        self.told = 0  # mails that the client knows of

    def send(self, data):
        try:
            if self.server.next_step("tear") == "torn":
                for at in range(len(data)):
                    self.sock.sendall(data[at : at + 1])
            else:
                self.sock.sendall(data)
        except OSError as error:
            raise Gone from error

    def say(self, line):
        self.send(line.encode() + b"\r\n")

    def line(self, seconds=None):
        """The next one; None: nothing came in time."""
        while b"\r\n" not in self.pending:
            self.sock.settimeout(seconds)
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                return None
            except OSError as error:
                raise Gone from error
            if not data or len(self.pending) > LINE_MAX:
                raise Gone
            self.pending += data
        line, _, self.pending = self.pending.partition(b"\r\n")
        return line.decode()

    def run(self):
        self.say("* OK ready")
        while True:
            tag, _, command = self.line().partition(" ")
            verb = re.match(r"(UID )?\w+", command.upper())
            handler = verb and getattr(self, "do_" + verb.group(0).replace(" ", "_").lower(), None)
            if handler is None:
                self.server.mistake(f"no command: {command}")
                self.say(f"{tag} BAD what?")
            else:
                handler(tag, command[len(verb.group(0)) :].strip())

    def needs(self, what, ready):
        if not ready:
            self.server.mistake(f"{what} comes too early")
            raise Gone

    # Commands.

    def do_capability(self, tag, _):
        self.say("* CAPABILITY IMAP4rev1 IDLE")
        self.say(f"{tag} OK")

    def do_login(self, tag, words):
        given = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', words)
        if [quoted or bare for quoted, bare in given] != [self.server.user, self.server.password]:
            self.say(f"{tag} NO [AUTHENTICATIONFAILED] wrong")
            return
        self.user = self.server.user
        self.say(f"{tag} OK")

    def do_noop(self, tag, _):
        self.say(f"{tag} OK")

    def do_logout(self, tag, _):
        self.say("* BYE")
        self.say(f"{tag} OK")
        raise Gone

    def do_select(self, tag, _):
        self.needs("SELECT", self.user)
        self.selected = True
        with self.server.changed:
            self.told = len(self.server.mails)
            following = self.server.next_uid
        self.say(f"* {self.told} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.server.validity}] valid")
        self.say(f"* OK [UIDNEXT {following}] next")
        self.say(f"{tag} OK [READ-WRITE] done")

    def do_uid_search(self, tag, words):
        self.needs("SEARCH", self.selected)
        first, last = re.fullmatch(r"UID (\d+):(\d+|\*)(?: SINCE \S+)?", words).groups()
        with self.server.changed:
            self.server.searches.append((int(first), last))
            uids = sorted(self.server.mails)
        found = [uid for uid in uids if uid >= int(first) and (last == "*" or uid <= int(last))]
        if last == "*" and uids and not found:
            found = uids[-1:]  # the star is the last there is, wherever the range begins
        self.say(" ".join(["* SEARCH", *map(str, found)]))
        self.say(f"{tag} OK")

    def do_uid_fetch(self, tag, words):
        self.needs("FETCH", self.selected)
        uid, most = map(int, re.fullmatch(
            r"(\d+) \(UID RFC822\.SIZE BODY\.PEEK\[\]<0\.(\d+)>\)", words).groups())
        with self.server.changed:
            self.server.fetches.append(uid)
            data = self.server.mails.get(uid)
            number = sorted(self.server.mails).index(uid) + 1 if data is not None else 0
            denied = self.server.denied.get(uid, 0)
            self.server.denied[uid] = denied - 1
        if denied > 0:
            self.say(f"{tag} NO [SERVERBUG] try later")
            return
        if self.server.next_step("fetch") == "drop":
            raise Gone
        if data is not None:
            part = data[:most]
            head = f"* {number} FETCH (UID {uid} RFC822.SIZE {len(data)} BODY[]<0> {{{len(part)}}}"
            self.send(head.encode() + b"\r\n" + part + b")\r\n")
        self.say(f"{tag} OK")

    def do_uid_store(self, tag, words):
        uid = int(re.fullmatch(r"(\d+) \+FLAGS\.SILENT \(\\Seen\)", words).group(1))
        with self.server.changed:
            self.server.seen.append(uid)
            self.server.changed.notify_all()
        self.say(f"{tag} OK")

    def do_idle(self, tag, _):
        self.needs("IDLE", self.selected)
        self.say("+ idling")
        with self.server.changed:
            self.server.idling += 1
            self.server.changed.notify_all()
        try:
            while (line := self.line(0.1)) is None:
                with self.server.changed:
                    there = len(self.server.mails)
                    left = self.server.closing.is_set()
                if left:
                    raise Gone
                if there != self.told:
                    self.told = there
                    self.say(f"* {there} EXISTS")
        finally:
            with self.server.changed:
                self.server.idling -= 1
        if line != "DONE":
            self.server.mistake(f"while idling: {line}")
        self.say(f"{tag} OK")


class Imap:
    """On 127.0.0.1, with the certificate of pair."""

    def __init__(self, pair, user, password):
        self.user = user
        self.password = password
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*map(str, pair))
        self.changed = threading.Condition()
        self.closing = threading.Event()
        self.mails = {}  # uid -> bytes
        self.next_uid = 1
        self.validity = 7
        self.denied = {}
        self.steps = {}
        self.searches = []
        self.fetches = []
        self.seen = []
        self.idling = 0
        self.mistakes = []
        self.errors = []
        self.socks = []
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()

    def deliver(self, mail, uid=None):
        with self.changed:
            uid = self.next_uid if uid is None else uid
            self.mails[uid] = mail.replace("\n", "\r\n").encode()
            self.next_uid = uid + 1
            self.changed.notify_all()
            return uid

    def deny(self, uid, times):
        with self.changed:
            self.denied[uid] = times

    def script(self, what, *steps):
        with self.changed:
            self.steps[what] = list(steps)

    def next_step(self, what):
        with self.changed:
            steps = self.steps.get(what)
            return steps.pop(0) if steps else None

    def mistake(self, text):
        with self.changed:
            self.mistakes.append(text)

    def wait_for(self, predicate, seconds=20):
        end = time.monotonic() + seconds
        with self.changed:
            while not predicate(self):
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self.changed.wait(min(left, 0.1))
        return True

    def hang_up(self):
        for sock in self.socks:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self):
        while not self.closing.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self.socks.append(sock)
            self.threads.append(thread)
            thread.start()

    def _serve(self, sock):
        try:
            with self.context.wrap_socket(sock, server_side=True) as upgraded:
                self.socks.append(upgraded)
                Session(self, upgraded).run()
        except (Gone, OSError):
            pass
        except Exception as error:  # a test's own mistake must be seen
            self.errors.append(error)

    def close(self):
        self.closing.set()
        self.hang_up()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for thread in [self.accepting, *self.threads]:
            thread.join(5)
