"""A relay that passes bytes unchanged between a client and a server, and keeps them.

What a client sent is then known from the wire, without touching the client.
"""

import gzip
import http.client
import io
import json
import socket
import socketserver
import threading
from dataclasses import dataclass

# Seconds of silence after which a connection is given up: far above the clients' own 5.
PATIENCE = 30


@dataclass
class Exchange:
    """One request with its answer. The clients open a connection for each."""

    request: bytes
    answer: bytes

    def headers(self):
        head = self.request.partition(b"\r\n\r\n")[0].partition(b"\r\n")[2] + b"\r\n\r\n"
        return http.client.parse_headers(io.BytesIO(head))

    def encoding(self):
        return self.headers().get("Content-Encoding", "identity")

    def path(self):
        return self.request.split(b" ", 2)[1].decode()

    def body(self):
        """The body as the client wrote it, before gzip."""
        body = self.request.partition(b"\r\n\r\n")[2]
        return gzip.decompress(body) if self.encoding() == "gzip" else body

    def entries(self):
        """The entries as the client wrote them."""
        return json.loads(self.body())["logs"]

    def answer_body(self):
        """Status and body of the answer."""
        response = http.client.HTTPResponse(_Answer(self.answer))
        response.begin()
        return response.status, response.read()

    def answered(self):
        """Status and parsed body of the answer."""
        status, body = self.answer_body()
        return status, json.loads(body)


class Relay:
    """Listens on a free port and passes each connection on to `target`."""

    def __init__(self, target):
        self.exchanges = []
        relay = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.settimeout(PATIENCE)
                with socket.create_connection(target, timeout=PATIENCE) as server:
                    answer = bytearray()
                    back = threading.Thread(target=_pump, args=(server, self.request, answer))
                    back.start()
                    request = bytearray()
                    _pump(self.request, server, request)
                    back.join()
                relay.exchanges.append(Exchange(bytes(request), bytes(answer)))

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        """Waits for connections that are still open, so that every exchange is kept."""
        self.server.shutdown()
        self.server.server_close()


class _Answer:
    """What HTTPResponse wants of a socket."""

    def __init__(self, data):
        self.data = data

    def makefile(self, _mode):
        return io.BytesIO(self.data)


def _pump(source, sink, kept):
    """Copies until the source ends or resets, then ends the sink's half, or the other pump would wait."""
    try:
        while data := source.recv(65536):
            kept += data
            sink.sendall(data)
    except OSError:
        pass  # a side is gone: what was kept tells how far it came
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # that side was the sink
