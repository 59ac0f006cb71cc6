"""The HTML error pages Django answers with, outside of the REST framework."""

from __future__ import annotations


def _page(title: str, text: str) -> str:
    return (
        f'\n<!doctype html>\n<html lang="en">\n<head>\n  <title>{title}</title>\n</head>\n'
        f"<body>\n  <h1>{title}</h1><p>{text}</p>\n</body>\n</html>\n"
    )


NOT_FOUND = _page("Not Found", "The requested resource was not found on this server.")
SERVER_ERROR = _page("Server Error (500)", "")
BAD_REQUEST = _page("Bad Request (400)", "")

DASHBOARD = (
    "<!DOCTYPE html><html><head><title>Tactical RMM</title><meta charset=utf-8></head>"
    "<body><div id=q-app></div></body></html>"
)
"""What the web interface's host (not the API host) answers to any path, with status 200."""
