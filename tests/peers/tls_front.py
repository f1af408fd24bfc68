# SPDX-License-Identifier: Apache-2.0
"""TLS in front of a server that has none: takes connections on 127.0.0.1, passes bytes on."""
import select
import socket
import ssl
import threading

CONNECTIONS = 512


class TlsFront:
    """TlsFront(port, (certificate, key)); .port and .url, named localhost."""

    def __init__(self, upstream, pair):
        self.upstream = upstream
        self.errors = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*map(str, pair))
        self.closing = threading.Event()
        self.places = threading.Semaphore(CONNECTIONS)
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS)
        self.port = self.listener.getsockname()[1]
        self.url = f"https://localhost:{self.port}"
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()

    def _accept(self):
        while not self.closing.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.places.acquire()
            self.threads = [t for t in self.threads if t.is_alive()]
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, sock):
        try:
            sock.settimeout(20)
            with self.context.wrap_socket(sock, server_side=True) as near, \
                    socket.create_connection(("127.0.0.1", self.upstream), 20) as far:
                near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._pass_on(near, far)
        except OSError:  # also what TLS has to say
            pass
        finally:
            sock.close()
            self.places.release()

    def _pass_on(self, near, far):
        while not self.closing.is_set():
            ready = [near] if near.pending() else select.select([near, far], [], [], 0.2)[0]
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                (far if one is near else near).sendall(data)

    def close(self):
        self.closing.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for thread in self.threads + [self.accepting]:
            thread.join(5)
