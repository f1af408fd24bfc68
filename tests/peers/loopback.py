# SPDX-License-Identifier: Apache-2.0
"""A small HTTP server on 127.0.0.1 whose every byte and silence is in the hands of a test.

Bounded: at most CONNECTIONS at a time, one thread each, bodies up to BODY_MAX.  close() ends
every thread that it started.
"""
import json
import socket
import struct
import threading
import time

CONNECTIONS = 256
BODY_MAX = 8 << 20
HEAD_MAX = 64 << 10


class Gone(Exception):
    """The peer of a connection has left, or the server is closing."""


class Exchange:
    """One request and what is done to it."""

    def __init__(self, server, sock, method, target, headers, body, number):
        self.server = server
        self.sock = sock
        self.method = method
        self.target = target
        self.path, _, self.query = target.partition("?")
        self.headers = headers  # names in lower case
        self.body = body
        self.number = number  # of this request on its connection, from 1
        self.at = time.monotonic()
        self.answered = False
        self.keep = True

    def json(self):
        return json.loads(self.body.decode("utf-8"))

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Gone from error

    def reply(self, status, body=b"", headers=None, content_type="application/json"):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        elif isinstance(body, str):
            body = body.encode()
        lines = [f"HTTP/1.1 {status} Scripted", f"content-length: {len(body)}"]
        if content_type:
            lines.append(f"content-type: {content_type}")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.answered = True
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def stream(self, content_type="text/event-stream"):
        """Begin an answer that ends with the connection; go on with send()."""
        self.answered = True
        self.keep = False
        self.send(
            f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n"
            "connection: close\r\n\r\n".encode()
        )

    def close(self):
        """Leave in an orderly way (FIN)."""
        self.answered = True
        self.keep = False

    def reset(self):
        """Leave with a reset (RST)."""
        self.answered = True
        self.keep = False
        try:
            self.sock.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        except OSError:
            pass

    def wait(self, seconds):
        """Let time pass; Gone when the server closes or the peer leaves."""
        end = time.monotonic() + seconds
        while not self.server.closing.is_set():
            left = end - time.monotonic()
            if left <= 0:
                return
            if self.left():
                raise Gone
            self.server.closing.wait(min(left, 0.05))
        raise Gone

    def wait_for(self, event):
        """Until a threading.Event is set; Gone as above."""
        while not event.is_set():
            if self.server.closing.is_set() or self.left():
                raise Gone
            event.wait(0.05)

    def left(self):
        self.sock.setblocking(False)
        try:
            return self.sock.recv(1, socket.MSG_PEEK) == b""
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True
        finally:
            self.sock.setblocking(True)

    def hang(self):
        """Say nothing until the peer leaves; its patience is what ends this."""
        self.answered = True
        self.keep = False
        self.wait(3600)


class Server:
    """Subclasses answer in handle(exchange)."""

    def __init__(self, port=0):
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self.threads = []
        self.socks = set()
        self.errors = []  # exceptions of handle(): a test must find none
        self.listener = socket.create_server(("127.0.0.1", port), backlog=CONNECTIONS)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.connections = 0
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()

    def handle(self, exchange):
        raise NotImplementedError

    def _accept(self):
        while not self.closing.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            with self.lock:
                self.threads = [t for t in self.threads if t.is_alive()]
                if len(self.threads) >= CONNECTIONS or self.closing.is_set():
                    sock.close()
                    continue
                self.connections += 1
                self.threads.append(thread)
                self.socks.add(sock)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread.start()

    def _serve(self, sock):
        pending = b""
        number = 0
        try:
            while not self.closing.is_set():
                number += 1
                exchange, pending = self._read(sock, pending, number)
                if exchange is None:
                    return
                self.handle(exchange)
                if not exchange.answered:
                    exchange.reply(500, b"the peer has no answer")
                if not exchange.keep:
                    return
        except (Gone, OSError):
            pass
        except Exception as error:  # a test's own mistake must be seen
            self.errors.append(error)
        finally:
            with self.lock:
                self.socks.discard(sock)
            sock.close()

    def _read(self, sock, pending, number):
        while b"\r\n\r\n" not in pending:
            data = sock.recv(65536)
            if not data or len(pending) > HEAD_MAX:
                return None, b""
            pending += data
        head, _, rest = pending.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        if length > BODY_MAX:
            return None, b""
        if headers.get("expect", "").lower() == "100-continue":
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body, rest = self._read_chunks(sock, rest)
            return Exchange(self, sock, method, target, headers, body, number), rest
        while len(rest) < length:
            data = sock.recv(65536)
            if not data:
                return None, b""
            rest += data
        body, rest = rest[:length], rest[length:]
        return Exchange(self, sock, method, target, headers, body, number), rest

    @staticmethod
    def _read_chunks(sock, pending):
        body = b""
        while len(body) <= BODY_MAX:
            while b"\r\n" not in pending:
                pending += Server._more(sock)
            size, _, pending = pending.partition(b"\r\n")
            length = int(size.split(b";")[0], 16)
            while len(pending) < length + 2:
                pending += Server._more(sock)
            body += pending[:length]
            pending = pending[length + 2 :]
            if length == 0:
                return body, pending
        raise Gone

    @staticmethod
    def _more(sock):
        data = sock.recv(65536)
        if not data:
            raise Gone
        return data

    def close(self):
        self.closing.set()
        with self.lock:
            socks, threads = list(self.socks), list(self.threads)
        for sock in socks + [self.listener]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.listener.close()
        for thread in threads + [self.accepting]:
            thread.join(5)
