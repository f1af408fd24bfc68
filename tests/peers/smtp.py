# SPDX-License-Identifier: Apache-2.0
"""A submission server that takes the protocol at its word, and misbehaves when it is told to.

A stage is connect, ehlo, starttls, auth, mail, rcpt, data or end.  What is scripted for a stage
happens once, in turn:

    ("reply", "451 4.3.0 later")   this instead of what it would say
    ("drop",)                      close the connection
    ("hang",)                      say nothing until the client goes
    ("drip",)                      one byte of an endless line now and then

mistakes is what a client must never do; mails is what arrived, whole.
"""
import base64
import email
import email.policy
import socket
import ssl
import threading
import time

LINE_MAX = 1000
MAIL_MAX = 32 << 20


class Gone(Exception):
    """The client has left, or the server is closing."""


class Mail:
    """One mail with its envelope."""

    def __init__(self, sender, recipients, data, session):
        self.sender = sender
        self.recipients = recipients
        self.data = data
        self.tls = session.tls
        self.user = session.user
        self.message = email.message_from_bytes(data, policy=email.policy.default)

    @property
    def id(self):
        return self.message["Message-ID"].strip("<> ")

    @property
    def text(self):
        """The plain text without its last line end."""
        part = self.message.get_body(("plain",))
        return part.get_content().replace("\r\n", "\n").rstrip("\n")

    @property
    def html(self):
        return self.message.get_body(("html",)).get_content()

    def files(self):
        return {part.get_filename(): part.get_content() for part in self.message.iter_attachments()}


class Session:
    """One connection."""

    def __init__(self, server, sock):
        self.server = server
        self.sock = sock
        self.pending = b""
        self.tls = None
        self.user = None
        self.greeted = False
        self.sender = None
        self.recipients = []

    def send(self, line):
        try:
            self.sock.sendall(line.encode() + b"\r\n")
        except OSError as error:
            raise Gone from error

    def line(self, limit=LINE_MAX):
        while b"\n" not in self.pending:
            try:
                data = self.sock.recv(65536)
            except OSError as error:
                raise Gone from error
            if not data or len(self.pending) > limit:
                raise Gone
            self.pending += data
        line, _, self.pending = self.pending.partition(b"\n")
        if not line.endswith(b"\r"):
            self.server.mistake(f"a bare line feed: {line[:60]!r}")
        return line.rstrip(b"\r")

    def wait(self):
        """Until the client goes."""
        while not self.server.closing.is_set():
            self.sock.settimeout(0.1)
            try:
                if self.sock.recv(65536) == b"":
                    raise Gone
            except TimeoutError:
                continue
            except OSError as error:
                raise Gone from error
        raise Gone

    def drip(self):
        while not self.server.closing.is_set():
            try:
                self.sock.sendall(b"2")
            except OSError as error:
                raise Gone from error
            time.sleep(0.05)
        raise Gone

    def stage(self, name, reply):
        """Say what is scripted for this stage, else the reply; True when all is well."""
        action = self.server.next_action(name)
        if action[0] == "drop":
            raise Gone
        if action[0] == "hang":
            self.wait()
        if action[0] == "drip":
            self.drip()
        line = action[1] if action[0] == "reply" else reply
        self.send(line)
        return line[0] in "23"

    def upgrade(self):
        try:
            self.sock = self.server.context.wrap_socket(self.sock, server_side=True)
        except (OSError, ssl.SSLError) as error:
            self.server.handshakes_failed += 1
            raise Gone from error
        self.tls = self.sock.version()
        if self.pending:
            self.server.mistake("clear text behind STARTTLS")
        self.pending = b""

    # Commands.

    def ehlo(self):
        lines = ["localhost", "8BITMIME", "ENHANCEDSTATUSCODES"]
        if self.server.pipelining:
            lines.append("PIPELINING")
        if self.server.mode == "starttls" and not self.tls:
            lines.append("STARTTLS")
        if self.server.password is not None and self.server.offer_auth:
            if self.tls or self.server.auth_in_clear:
                lines.append("AUTH PLAIN LOGIN")
        action = self.server.next_action("ehlo")
        if action[0] != "none":
            self.server.script("ehlo", action)
            return self.stage("ehlo", "")
        for index, text in enumerate(lines):
            self.send(f"250{'-' if index < len(lines) - 1 else ' '}{text}")
        self.greeted = True
        return True

    def auth(self, argument):
        if not self.tls:
            self.server.mistake("a password in clear text")
        mechanism, _, first = argument.partition(" ")
        if mechanism.upper() == "PLAIN":
            if not first:
                self.send("334 ")
                first = self.line().decode()
            _, user, password = base64.b64decode(first).decode().split("\0")
        else:
            if not first:
                self.send("334 " + base64.b64encode(b"Username:").decode())
                first = self.line().decode()
            user = base64.b64decode(first).decode()
            self.send("334 " + base64.b64encode(b"Password:").decode())
            password = base64.b64decode(self.line()).decode()
        good = (user, password) == (self.server.user, self.server.password)
        if self.stage("auth", "235 2.7.0 ok" if good else "535 5.7.8 wrong") and good:
            self.user = user

    def data(self):
        if not self.stage("data", "354 go on"):
            return
        action = self.server.next_action("middle")
        if action[0] == "drop":
            raise Gone
        lines = []
        size = 0
        while True:
            line = self.line(MAIL_MAX)
            if line == b".":
                break
            if len(line) > LINE_MAX - 2:
                self.server.mistake(f"a line of {len(line)} bytes")
            if any(byte < 32 and byte != 9 for byte in line):
                self.server.mistake(f"a control character: {line[:60]!r}")
            lines.append(line[1:] if line.startswith(b".") else line)
            size += len(line)
        mail = Mail(self.sender, self.recipients, b"\r\n".join(lines) + b"\r\n", self)
        taken = self.server.peek("end")
        if taken[0] in ("none", "drop", "hang") or taken[1][0] == "2":
            self.server.take(mail)
        self.sender, self.recipients = None, []
        self.stage("end", "250 2.0.0 queued")

    def command(self, verb, argument):
        server = self.server
        if verb in ("EHLO", "HELO"):
            self.ehlo()
        elif verb == "STARTTLS" and server.mode == "starttls" and not self.tls:
            if self.stage("starttls", "220 go on"):
                self.upgrade()
                self.greeted = False
        elif verb == "AUTH":
            self.auth(argument)
        elif verb == "MAIL" and argument.upper().startswith("FROM:<"):
            if not self.greeted:
                server.mistake("MAIL before EHLO")
            if server.password is not None and server.required and self.user is None:
                self.send("530 5.7.0 authentication required")
            elif self.stage("mail", "250 2.1.0 ok"):
                self.sender = argument[6:].split(">")[0]
        elif verb == "RCPT" and self.sender and argument.upper().startswith("TO:<"):
            if self.stage("rcpt", "250 2.1.5 ok"):
                self.recipients.append(argument[4:].split(">")[0])
        elif verb == "DATA":
            if self.recipients:
                self.data()
            else:
                self.send("503 5.5.1 no recipients")
        elif verb == "QUIT":
            self.stage("quit", "221 2.0.0 bye")
            raise Gone
        elif verb in ("RSET", "NOOP"):
            self.send("250 2.0.0 ok")
        else:
            self.send("500 5.5.2 what?")

    def run(self):
        if self.server.mode == "implicit":
            self.upgrade()
        self.stage("connect", "220 localhost ESMTP")
        while not self.server.closing.is_set():
            line = self.line().decode("utf-8", "replace")
            verb, _, argument = line.partition(" ")
            self.server.commands.append(verb.upper())
            self.command(verb.upper(), argument)


class Smtp:
    """On 127.0.0.1; mode is none, starttls or implicit."""

    def __init__(self, mode="none", pair=None, user=None, password=None, **more):
        self.mode = mode
        self.user = user
        self.password = password
        self.offer_auth = more.get("offer_auth", True)
        self.auth_in_clear = more.get("auth_in_clear", False)
        self.required = more.get("required", True)
        self.pipelining = more.get("pipelining", True)
        self.context = None
        if pair is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*map(str, pair))
        self.changed = threading.Condition()
        self.closing = threading.Event()
        self.mails = []
        self.mistakes = []
        self.commands = []
        self.errors = []
        self.scripts = {}
        self.handshakes_failed = 0
        self.connections = 0
        self.socks = []
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()

    def script(self, stage, *actions):
        with self.changed:
            self.scripts.setdefault(stage, []).extend(actions)

    def peek(self, stage):
        with self.changed:
            queue = self.scripts.get(stage)
            return queue[0] if queue else ("none",)

    def next_action(self, stage):
        with self.changed:
            queue = self.scripts.get(stage)
            return queue.pop(0) if queue else ("none",)

    def mistake(self, text):
        with self.changed:
            self.mistakes.append(text)

    def take(self, mail):
        with self.changed:
            self.mails.append(mail)
            self.changed.notify_all()

    def texts(self):
        with self.changed:
            return [mail.text for mail in self.mails]

    def wait_for(self, predicate, seconds=30):
        end = time.monotonic() + seconds
        with self.changed:
            while not predicate(self):
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self.changed.wait(min(left, 0.1))
        return True

    def _accept(self):
        while not self.closing.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self.connections += 1
            self.socks.append(sock)
            self.threads.append(thread)
            thread.start()

    def _serve(self, sock):
        session = Session(self, sock)
        try:
            session.run()
        except (Gone, OSError):
            pass
        except Exception as error:  # a test's own mistake must be seen
            self.errors.append(error)
        finally:
            try:
                session.sock.close()
            except OSError:
                pass

    def close(self):
        self.closing.set()
        for sock in [self.listener, *self.socks]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.listener.close()
        for thread in [self.accepting, *self.threads]:
            thread.join(5)
