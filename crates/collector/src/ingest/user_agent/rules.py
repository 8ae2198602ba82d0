"""Writes rules.json from the rules of uap-core as PyPI has them, those for browsers and systems.

usage: python3 -m pip install --no-deps --target DIR ua-parser-builtins && python3 rules.py DIR > rules.json
"""

import ast
import json
import pathlib
import sys

NAMES = {
    "USER_AGENT_PARSERS": ["regex", "family_replacement", "v1_replacement", "v2_replacement"],
    "OS_PARSERS": ["regex", *(f"os_{part}replacement" for part in ["", "v1_", "v2_", "v3_", "v4_"])],
}

source = (pathlib.Path(sys.argv[1]) / "ua_parser_builtins/regexes.py").read_text()
tables = []
for statement in ast.parse(source).body:
    name = statement.targets[0].id if isinstance(statement, ast.Assign) else None
    if name in NAMES:
        rules = [[ast.literal_eval(value) for value in call.args] for call in statement.value.elts]
        assert all(len(rule) <= len(NAMES[name]) for rule in rules)
        lines = [json.dumps({k: v for k, v in zip(NAMES[name], rule) if v is not None}) for rule in rules]
        tables.append(f'"{name.lower()}":[\n' + ",\n".join(lines) + "\n]")
print("{" + ",\n".join(tables) + ',\n"device_parsers":[]}')
