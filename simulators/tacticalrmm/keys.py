"""Every credential of the simulated server. Nothing here is secret: the server holds invented data."""

from __future__ import annotations

ADMIN_KEY = "SIMADMINKEY00000000000000000000A"
"""Superuser role: everything."""

INTEGRATION_KEY = "SIMINTEGRATIONKEY00000000000000B"
"""The smallest role a PSA needs (see roles.INTEGRATION)."""

READONLY_KEY = "SIMREADONLYKEY00000000000000000C"
"""Lists only: no resolving, no scripts, no reboot."""

SCOPED_KEY = "SIMSCOPEDKEY0000000000000000000D"
"""The integration role limited to the client with id 1 (which the beta API ignores)."""

NOPERM_KEY = "SIMNOPERMKEY0000000000000000000E"
"""A role with no permission set."""

NOROLE_KEY = "SIMNOROLEKEY0000000000000000000F"
"""A user without a role."""

EXPIRED_KEY = "SIMEXPIREDKEY000000000000000000G"
"""A key whose expiration lies in the past."""

INACTIVE_KEY = "SIMINACTIVEKEY00000000000000000H"
"""A key of a deactivated user."""

ALL_KEYS = {
    "admin": ADMIN_KEY,
    "integration": INTEGRATION_KEY,
    "readonly": READONLY_KEY,
    "scoped": SCOPED_KEY,
    "noperm": NOPERM_KEY,
    "norole": NOROLE_KEY,
    "expired": EXPIRED_KEY,
    "inactive": INACTIVE_KEY,
}
"""Name -> key, as printed at start and by the control API."""

PASSWORD = "Sim-Pass-2468!"
"""Password of every user."""

PASSWORD_USER = "labadmin"
"""User without a TOTP key: one step (/v2/checkcreds/) gives a token; superuser."""

TOTP_USER = "labtotp"
"""User with a TOTP key: needs /v2/login/; has the integration role."""

TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
"""Base32 TOTP secret of TOTP_USER (6 digits, 30 s)."""

BLOCKED_USER = "labblocked"
"""User with block_dashboard_login: passwords refused, API keys work."""

INACTIVE_USER = "labinactive"
"""Deactivated user."""

SSO_USER = "labsso"
"""User who signs in by SSO: passwords refused."""

GLOBAL_STORE = {"psa_token": "sim-key-store-value"}
"""The global key store, reachable from templates as {{global.psa_token}}."""
