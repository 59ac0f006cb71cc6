"""What stands in the inputs of steps, in words: names for chosen ids, and nothing that is secret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from rmm_extension.domain.contracts.actions import FormField
from rmm_extension.domain.workflow_words import binding_words, value_words
from rmm_extension.domain.workflows import Binding, Step
from rmm_extension.services.queries.actions import script_names

from .choices import connection_rows
from .context import actor, session
from .workflow_choices import SCRIPT, offered

HIDDEN = "set, not shown"


@dataclass(frozen=True, slots=True)
class Used:
    """A step with its vendor, if it has one, and the fields of its inputs by path."""

    step: Step
    provider: str | None
    fields: Mapping[str, FormField]


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called: by what a field picks, and scripts by connection and the vendor's id."""

    picked: Mapping[str, Mapping[str, str]]
    scripts: Mapping[tuple[UUID, str], str]

    def words(self, used: Used, path: str, binding: Binding) -> str:
        """An input as the card of its step shows it."""
        field = used.fields.get(path)
        if field is None or binding.template is not None:
            return binding_words(binding)
        if field.secret:
            return HIDDEN
        known = self._known(used, field)
        values = binding.value if isinstance(binding.value, list) else [binding.value]
        return ", ".join(known.get(str(one)) or value_words(one) for one in values)

    def _known(self, used: Used, field: FormField) -> Mapping[str, str]:
        if field.picks == SCRIPT:
            own = {used.step.connection} if used.step.connection else {key for key, _ in self.scripts}
            return {value: name for (key, value), name in self.scripts.items() if key in own}
        return {**dict(field.choices), **self.picked.get(field.picks or "", {})}


def names_of(steps: Sequence[Used]) -> Names:
    """The names of everything that these steps name by an id: a statement or two for each kind of thing."""
    chosen = [
        (used, field, used.step.inputs[path])
        for used in steps
        for path, field in used.fields.items()
        if field.picks and path in used.step.inputs and used.step.inputs[path].template is None
    ]
    plain = [field for _, field, _ in chosen if field.picks != SCRIPT]
    wanted = {
        (connection, str(binding.value))
        for used, field, binding in chosen
        if field.picks == SCRIPT
        for connection in _connections(used)
    }
    picked = {key: dict(options) for key, options in offered(plain, None).items()}
    return Names(picked, script_names(session(), actor().tenant_id, wanted))


def _connections(used: Used) -> Iterable[UUID]:
    """The connections whose library a script may be of."""
    if used.step.connection:
        return [used.step.connection]
    return [row.id for row in connection_rows() if row.provider == used.provider]
