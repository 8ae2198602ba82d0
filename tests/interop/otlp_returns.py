"""Lets hoplog send by OTLP to one collector, gives another the same entries in the native form, and compares what both
answer, field by field.

usage: otlp_returns.py SENDER OTLP_URL NATIVE_URL

SENDER (crates/core/examples/everything.rs) prints each entry as the collector would get it.
"""

import json
import sys
import urllib.request

from collector import get
from otlp_names import small
from otlp_receiver import send

# The resource says it, and the native form has no place for it.
OF_THE_RESOURCE = {"service.namespace": "café"}


def post(url, entries):
    body = json.dumps({"logs": entries}).encode()
    request = urllib.request.Request(f"{url}/logs", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)["accepted"]


def main(sender, otlp, native):
    sent = send(sender, otlp)
    accepted = post(native, sent)
    compared, wrong = 0, []
    if accepted != len(sent):
        wrong.append(f"{accepted} of {len(sent)} entries were taken in the native form")
    for entry in sent:
        ours, theirs = (get(url, f"/api/v1/logs/{entry['id']}") for url in (native, otlp))
        metadata = theirs.get("metadata") or {}
        for name, expected in OF_THE_RESOURCE.items():
            if metadata.pop(name, None) != expected:
                wrong.append(f"{entry['id']} has no {name}")
        theirs["metadata"] = metadata or None
        ours["metadata"] = small(ours["metadata"])
        for field in sorted(ours.keys() | theirs.keys()):
            compared += 1
            if ours.get(field) != theirs.get(field):
                wrong.append(f"{entry['id']} {field}: {ours.get(field)!r} came by OTLP as {theirs.get(field)!r}")
    for finding in wrong[:50]:
        print(finding)
    print(f"FIGURE interop.otlp_returns.fields_compared {compared} count")
    print(f"FIGURE interop.otlp_returns.differences {len(wrong)} count")
    sys.exit(1 if wrong or not compared else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
