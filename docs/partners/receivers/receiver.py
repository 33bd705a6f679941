"""A receiver of Segin's events, to start yours from: verifies, keeps each event once, answers at once.

    pip install standardwebhooks
    SEGIN_WEBHOOK_SECRET=whsec_... python receiver.py events.sqlite 8000

Everything else is Python's standard library. It listens on this machine only: put your web server with its certificate
before it, and tell Segin the https address of that. Segin's own tests run this very file against its sender.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sqlite3
import sys
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

MOST_BYTES = 1_000_000
"""Longer bodies are not read. An event has a few hundred bytes."""

# `id` is the key: an event that comes twice is kept once. `sequence` is text, padded with zeros, so that the order of
# text is the order of numbers. Read the view, not the table: it has the events of each case in the order in which they
# happened, whatever the order in which they came. (`segin.test` is about no case: it has no subject and no number.)
TABLES = """
CREATE TABLE IF NOT EXISTS events (
    id TEXT PRIMARY KEY, subject TEXT, sequence TEXT, type TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_case ON events (subject, sequence);
CREATE VIEW IF NOT EXISTS events_in_order AS SELECT * FROM events ORDER BY subject, sequence;
"""

log = logging.getLogger("receiver")


def keep(path: str, event: dict[str, str], body: bytes) -> bool:
    """Keep the event, on the disk when this returns. False when it is there already."""
    with closing(sqlite3.connect(path, timeout=10)) as database, database:
        row = (event["id"], event.get("subject"), event.get("sequence"), event["type"], body.decode())
        return database.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?)", row).rowcount == 1


class Receiver(BaseHTTPRequestHandler):
    """Answers one connection of Segin's."""

    protocol_version = "HTTP/1.1"  # Segin sends several events over one connection
    timeout = 60  # seconds after which a silent connection is closed
    webhook: Webhook
    database: str

    def do_POST(self) -> None:
        # 1. The raw bytes, as they came. The signature is over these: parse nothing before it was checked.
        length = self.headers.get("Content-Length", "")
        if not (re.fullmatch("[0-9]{1,9}", length) and int(length) <= MOST_BYTES):
            self.close_connection = True  # the body stays unread, so nothing after it could be understood
            self._answer(413)
            return
        body = self.rfile.read(int(length))

        # 2. Is it from Segin, and from the last five minutes? Without this check anybody could tell you anything. A
        #    malformed header is a ValueError. While the secret is being changed, one of two signatures has to hold.
        try:
            self.webhook.verify(body, dict(self.headers))
            event = json.loads(body)
        except (WebhookVerificationError, ValueError):
            log.info("refused")
            self._answer(400)
            return

        # 3. Keep it, once. Whatever you do because of it (look up, write, tell somebody) comes later and elsewhere,
        #    from the database: Segin waits for 15 seconds. Types that you do not know are kept too: there will be new
        #    ones.
        try:
            new = keep(self.database, event, body)
        except sqlite3.Error as error:
            log.info("not kept: %s", type(error).__name__)
            self._answer(500)  # no 2xx: Segin sends it again
            return

        # 4. Only now say that you have it: after a 2xx Segin does not send it again. Also when it was known: your first
        #    answer may have been lost. Log the type and the id and nothing else: the rest is about people.
        self._answer(204)
        log.info("%s %s%s", event["type"], event["id"], "" if new else " again")

    def _answer(self, status: int) -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """The server's own line for each request is left out."""


def main() -> None:
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    os.umask(0o077)  # what is kept is for the owner's eyes only
    Receiver.webhook = Webhook(os.environ["SEGIN_WEBHOOK_SECRET"])
    Receiver.database = sys.argv[1]
    with closing(sqlite3.connect(Receiver.database)) as database:
        database.executescript(TABLES)
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 8000
    with ThreadingHTTPServer(("127.0.0.1", port), Receiver) as server:
        log.info("listening on %s:%s", *server.server_address[:2])
        server.serve_forever()


if __name__ == "__main__":
    main()
