"""Lets hoplog send by OTLP, receives it with OpenTelemetry's own messages, and compares every attribute.

usage: otlp_receiver.py SENDER

SENDER (crates/core/examples/everything.rs) prints each entry as the collector would get it. What it sends is taken
twice: by the receiver in here, and by Rotel, a collector of its own, that passes it on to the receiver in here.
"""

import gzip
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

import otlp_names

PATIENCE = 20.0


class Receiver:
    """An OTLP/HTTP server that keeps what it is sent."""

    def __init__(self):
        self.requests = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                receiver.requests.append((self.path, dict(self.headers.items()), body))
                answer = ExportLogsServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, entries):
        """Every log record with its resource, once there are that many."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = []
            for _, _, body in list(self.requests):
                for logs in ExportLogsServiceRequest.FromString(body).resource_logs:
                    for scope in logs.scope_logs:
                        found += [(logs.resource, scope.scope, record) for record in scope.log_records]
            if len(found) >= entries or time.monotonic() > deadline:
                return found
            time.sleep(0.02)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def rotel(to, directory):
    """The collector as a process, once it listens; and its URL."""
    import rotel as package

    port = free_port()
    program = Path(package.__file__).parent / "rotel-agent"
    command = [
        str(program), "start",
        "--otlp-http-endpoint", f"127.0.0.1:{port}", "--otlp-grpc-endpoint", f"127.0.0.1:{free_port()}",
        "--exporter", "otlp", "--otlp-exporter-endpoint", to, "--otlp-exporter-protocol", "http",
        "--pid-file", f"{directory}/pid", "--log-file", f"{directory}/log",
    ]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process, f"http://127.0.0.1:{port}"
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                sys.exit("rotel does not listen")
            time.sleep(0.02)


def send(sender, url):
    """Runs the sender; returns what it says that it sent."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "HOPLOG_"))
    }
    environment |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=k%2C1",
        "OTEL_RESOURCE_ATTRIBUTES": "service.namespace=caf%C3%A9,service.name=not-this",
        "ENVIRONMENT": "staging",
    }
    output = subprocess.run([sender], env=environment, stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in output.splitlines() if line.startswith(b"{")]


def check(name, sent, received):
    compared, wrong = 0, []
    by_id = {}
    for resource, scope, record in received:
        attributes = otlp_names.read(record.attributes)
        by_id.setdefault(attributes.get("log.record.uid"), []).append((resource, scope, record, attributes))
    if len(received) != len(sent):
        wrong.append(f"{len(received)} records of {len(sent)} entries")
    for entry in sent:
        found = by_id.get(entry["id"], [])
        if len(found) != 1:
            wrong.append(f"{entry['id']} came {len(found)} times")
            continue
        for what, expected, got in otlp_names.compare(entry, *found[0]):
            compared += 1
            if expected != got:
                wrong.append(f"{entry['id']} {what}: {expected!r} became {got!r}")
    for finding in wrong[:50]:
        print(finding)
    print(f"FIGURE interop.otlp_{name}.attributes_compared {compared} count")
    return not wrong and compared > 0


def main(sender):
    receiver = Receiver()
    sent = send(sender, receiver.url)
    good = check("protobuf", sent, receiver.take(len(sent)))
    for path, headers, _ in receiver.requests:
        headers = {key.lower(): value for key, value in headers.items()}
        expected = ("/v1/logs", "application/x-protobuf", "k,1")
        if (path, headers.get("content-type"), headers.get("api-key")) != expected:
            print(f"the request was {path} {headers}")
            good = False
    behind = Receiver()
    with tempfile.TemporaryDirectory() as directory:
        process, url = rotel(behind.url, directory)
        try:
            sent = send(sender, url)
            good &= check("rotel", sent, behind.take(len(sent)))
        finally:
            process.terminate()
            process.wait()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main(sys.argv[1])
