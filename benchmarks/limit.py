"""The limit of ingest: a bare Flask endpoint that does one upsert and commits, one connection a thread."""

from __future__ import annotations

import json
import os
import threading

import psycopg
from flask import Flask, Response, request

app = Flask(__name__)
_local = threading.local()
_UPSERT = """
INSERT INTO bench_limit (tenant_id, external_id, body, seen) VALUES (%s, %s, %s, 1)
ON CONFLICT (tenant_id, external_id) DO UPDATE SET seen = bench_limit.seen + 1
"""
TABLE = """
CREATE TABLE IF NOT EXISTS bench_limit (
    tenant_id text, external_id text, body jsonb, seen int, PRIMARY KEY (tenant_id, external_id))
"""
FILL = """
INSERT INTO bench_limit SELECT 't', 'stored-' || n, '{"alert_id": "1", "event": "failure"}', 1
FROM generate_series(1, 1000000) n
"""


def _connection() -> psycopg.Connection:
    if not hasattr(_local, "connection"):
        _local.connection = psycopg.connect(os.environ["BENCH_CONNINFO"], autocommit=True)
    return _local.connection


@app.post("/limit")
def limit() -> Response:
    """Take one body."""
    body = json.loads(request.get_data())
    _connection().execute(_UPSERT, ("t", body["alert_id"], request.get_data(as_text=True)))
    return Response('{"recorded": true}', content_type="application/json")
