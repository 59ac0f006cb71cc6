"""The boundary at which unexpected errors stop: logged once with a number that can be looked up."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rq.timeouts import JobTimeoutException

from rmm_extension.domain.errors import RMMError
from rmm_extension.domain.logline import line

from .verdict import DATABASE_AWAY, is_database_away

log = logging.getLogger("rmm_extension")


@dataclass(slots=True)
class Mishap:
    """What came out of an :func:`isolated` block; ``words`` is ``None`` when all went well."""

    words: str | None = None


@contextmanager
def isolated(event: str, **fields: object) -> Iterator[Mishap]:
    """Let an error of the block end the block only."""
    mishap = Mishap()
    try:
        yield mishap
    except JobTimeoutException:
        # RQ raises this by a signal, inside whatever runs: it ends the job, not this block.
        raise
    except RMMError as error:
        log.warning(line(event, outcome="error", error=type(error).__name__, message=str(error), **fields))
        mishap.words = str(error)
    except Exception as error:  # noqa: BLE001 - this is the boundary
        mishap.words = unexpected(event, error, **fields)


def unexpected(event: str, error: Exception, **fields: object) -> str:
    """Log an error nobody planned for, with its traceback; the sentence for people."""
    if is_database_away(
        error
    ):  # planned for: every job of that minute has it, and its traceback says nothing
        log.warning(line(event, outcome="error", error="database_away", **fields))
        return DATABASE_AWAY
    incident = uuid.uuid4().hex[:12]
    log.error(
        line(event, outcome="error", error=type(error).__name__, incident=incident, **fields), exc_info=error
    )
    return f"Something unexpected happened; the log has it under incident {incident}."
