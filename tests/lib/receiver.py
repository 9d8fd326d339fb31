# SPDX-License-Identifier: AGPL-3.0-or-later
"""What alerts are sent to: a real HTTP server on loopback that checks each message against what proto/PROTOCOL.md promises."""
import http.server
import json
import threading
import time

import jsonschema

from cluster import fail, wait

MESSAGE = {
    "type": "object", "additionalProperties": False,
    "required": ["source", "version", "coordinator", "state", "kind", "subject", "text", "since_ms", "count", "subjects", "url"],
    "properties": {
        "source": {"const": "sohoa"}, "version": {"const": 1}, "coordinator": {"const": "c1"},
        "state": {"enum": ["firing", "resolved", "test"]}, "kind": {"type": "string"}, "subject": {"type": "string"},
        "text": {"type": "object", "additionalProperties": False, "required": ["vi", "en"],
                 "properties": {"vi": {"type": "string", "minLength": 5}, "en": {"type": "string", "minLength": 5}}},
        "since_ms": {"type": "integer", "minimum": 1}, "count": {"type": "integer", "minimum": 0},
        "subjects": {"type": "array", "maxItems": 20, "items": {"type": "string"}}, "url": {"type": "string", "pattern": "^/"}}}


class Receiver:
    """Takes what the webhook sends, as the test says how."""

    def __init__(self, path="/", token=None):
        self.path, self.token = path, token
        self.status, self.delay_s, self.messages, self.wrong = 204, 0, [], []
        self.port, self.server = 0, None
        self.begun = threading.Event()  # a request has come
        self.up()
        self.url = f"http://127.0.0.1:{self.port}{path}"

    def up(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                receiver.take(self)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self):
        self.server.shutdown()
        self.server.server_close()

    def take(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        status = self.status
        self.begun.set()
        time.sleep(self.delay_s)
        self.note(request, json.loads(body), status < 300)  # before whoever waits for the answer goes on
        request.send_response(status)
        request.send_header("Content-Length", "0")
        request.end_headers()
        request.close_connection = True  # so that down() cuts what is there

    def note(self, request, message, taken):
        seen = (request.path, request.headers["Authorization"], request.headers["Content-Type"])
        if seen != (self.path, self.token and f"Bearer {self.token}", "application/json"):
            self.wrong.append(f"a request of {seen}")
        try:
            jsonschema.Draft202012Validator(MESSAGE).validate(message)
        except jsonschema.ValidationError as why:
            self.wrong.append(f"{message}: {why.message}")
        if taken:
            self.messages.append(message)

    def of(self, kind, state, subject=None):
        return [m for m in self.messages if (m["kind"], m["state"]) == (kind, state) and subject in (None, *m["subjects"])]

    def once(self, kind, state, subject, limit_s=60):
        """Waits for the message, and there is one only."""
        wait(f"{kind} of {subject!r} to be {state}", lambda: self.of(kind, state, subject), limit_s)
        found = self.of(kind, state, subject)
        if len(found) != 1 or self.wrong:
            fail(f"{kind} of {subject!r} was told {len(found)} times to be {state}: {found}; {self.wrong}")
        return found[0]

    def forget(self):
        self.messages.clear()
