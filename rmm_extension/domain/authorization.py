"""A sign-in in the browser: what the person is sent to the vendor with (OAuth 2, RFC 6749 and RFC 7636)."""

from __future__ import annotations

import msgspec


class AuthorizationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into the address of the vendor's sign-in page.

    ``redirect_uri`` is where the vendor sends the person back to, ``state`` what it sends back with them, and
    ``code_challenge`` the SHA-256 of a verifier that only we know, in base64url without padding (S256).
    """

    redirect_uri: str
    state: str
    code_challenge: str


CODE, REDIRECT_URI, CODE_VERIFIER = "code", "redirect_uri", "code_verifier"
"""What ``Connection.once`` holds for the sign-in that ends such a way: the vendor's code, and what it is
exchanged with."""

_REFUSALS = {
    "access_denied": "The sign-in was cancelled at {label}, or not agreed to.",
    "unauthorized_client": "{label} does not let this application sign in so: the grant type is not allowed.",
    "invalid_scope": "{label} refuses the scopes: the application does not have all that are asked for.",
    "invalid_request": "{label} did not understand the request to sign in. Check the redirect URI there.",
    "unsupported_response_type": "{label} does not let this application sign in by a code.",
    "server_error": "{label} failed inside. Try again in a moment.",
    "temporarily_unavailable": "{label} takes no sign-ins at the moment. Try again later.",
}
_SHOWN = 40


def refusal(label: str, error: str) -> str:
    """What the error with which a vendor sends a person back means (RFC 6749, section 4.1.2.1)."""
    known = _REFUSALS.get(error)
    if known is not None:
        return known.format(label=label)
    word = "".join(sign for sign in error if sign.isascii() and (sign.isalnum() or sign in "_-."))[:_SHOWN]
    return f"{label} did not let you sign in{f' (it says: {word})' if word else ''}."
