"""Asks the collector."""

import http.client
import json
import urllib.parse

_connections = {}


def get(url, path, **query):
    address = urllib.parse.urlsplit(url).netloc
    connection = _connections.setdefault(address, http.client.HTTPConnection(address, timeout=20))
    connection.request("GET", f"{path}?{urllib.parse.urlencode(query)}" if query else path)
    with connection.getresponse() as response:
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"GET {path} was answered with {response.status}: {body[:200]}")
        return json.loads(body)


def read_all(url):
    stored, cursor = [], {}
    while True:
        page = get(url, "/api/v1/logs", limit=200, **cursor)
        stored += page["logs"]
        if not page.get("next_cursor"):
            return stored
        cursor = {"cursor": page["next_cursor"]}


def read_whole(url):
    """Every entry as its own answer has it."""
    return [get(url, f"/api/v1/logs/{entry['id']}") for entry in read_all(url)]
