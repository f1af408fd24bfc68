# SPDX-License-Identifier: Apache-2.0
"""What stands between a gateway and a platform: TLS in front of a peer that speaks none, and an
HTTP proxy that opens tunnels for those who know its password."""
import base64
import socket
import ssl
import threading

HEAD_MAX = 8192


class Relay:
    """A listener on 127.0.0.1 that carries bytes to where open() leads.  close() ends it all."""

    def __init__(self):
        self.errors = []
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self.socks = []
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self._spawn(self._accept)

    def open(self, sock):
        """(the client's socket, the other one), or None when that was that."""
        raise NotImplementedError

    def _spawn(self, run, *arguments):
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        with self.lock:
            self.threads.append(thread)
        thread.start()

    def _keep(self, sock):
        with self.lock:
            self.socks.append(sock)
        return sock

    def _accept(self):
        while not self.closing.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self._spawn(self._serve, self._keep(sock))

    def _serve(self, sock):
        try:
            ends = self.open(sock)
        except OSError:
            ends = None
        if ends is None:
            sock.close()
            return
        for one, other in (ends, ends[::-1]):
            self._keep(one)
            self._spawn(self._pump, one, other)

    @staticmethod
    def _pump(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        for sock in (one, other):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.closing.set()
        with self.lock:
            socks, threads = [self.listener, *self.socks], list(self.threads)
        for sock in socks:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()
        for thread in threads:
            thread.join(5)


class Front(Relay):
    """TLS with the certificate of pair, for the peer on a port."""

    def __init__(self, pair, port):
        self.behind = port
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*map(str, pair))
        super().__init__()

    def open(self, sock):
        upgraded = self.context.wrap_socket(sock, server_side=True)
        return upgraded, socket.create_connection(("127.0.0.1", self.behind))


class Proxy(Relay):
    """asked is where tunnels were wanted to, turned_away how often the password was wrong."""

    def __init__(self, user, password):
        self.user = user
        self.password = password
        self.asked = []
        self.turned_away = 0
        super().__init__()
        self.url = f"http://{user}:{password}@127.0.0.1:{self.port}"

    def open(self, sock):
        head = b""
        while b"\r\n\r\n" not in head:
            data = sock.recv(4096)
            if not data or len(head) > HEAD_MAX:
                return None
            head += data
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
        word = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if headers.get("proxy-authorization") != f"basic {word}".lower():
            with self.lock:
                self.turned_away += 1
            sock.sendall(
                b"HTTP/1.1 407 No\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n")
            return None
        with self.lock:
            self.asked.append((method, target))
        host, _, port = target.rpartition(":")
        other = socket.create_connection((host, int(port)))
        sock.sendall(b"HTTP/1.1 200 Open\r\n\r\n")
        return sock, other
