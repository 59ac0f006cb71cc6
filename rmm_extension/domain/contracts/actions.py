"""What an action is: its name, the contracts of what it takes and gives, and what a page says of it.

The contracts are marshmallow schemas, strict as all others: what is refused is refused in sentences, all of
them at once. Their fields carry a label and a help text, so that a form can be made from them
(:func:`form_fields`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, cast

from marshmallow import ValidationError, fields, missing, validate

from rmm_extension.domain.errors import Invalid

from .inputs import Choices, Json, Moment, Number, Sections
from .strict import Flag, Section, Strict, Text, problems


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """One thing that a vendor, or the extension itself, can be asked to do.

    ``id`` is the name that stays (``tacticalrmm.agents.reboot``), ``module`` the key of its module; ``input``
    and ``output`` are its contracts. One with ``side_effects`` is never repeated once it was begun. One
    ``on_device`` is always about one device of the connection. ``permission`` is what the actor needs,
    ``confirmation`` a question for the person who is about to start it; ``icon`` names a glyph of the pages.
    """

    id: str
    module: str
    label: str
    description: str
    input: type[Strict]
    output: type[Strict]
    side_effects: bool
    category: str
    icon: str
    version: int = 1
    permission: str = "rmm.execute"
    on_device: bool = True
    confirmation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionModule:
    """The actions that belong together, as a palette shows them.

    ``key`` is ``app:<name>``; ``availability`` names what tells whether a tenant has it.
    """

    key: str
    label: str
    description: str
    icon: str
    default_action: str
    availability: str
    actions: tuple[ActionSpec, ...]

    def __post_init__(self) -> None:
        ids = [action.id for action in self.actions]
        for value in (self.key, self.label, self.availability, *ids):
            if not value.strip():
                raise ValueError("A module of actions, its availability and its actions need names.")
        if len(set(ids)) != len(ids):
            raise ValueError(f"{self.key}: two actions have the same id.")
        if strangers := [action.id for action in self.actions if action.module != self.key]:
            raise ValueError(f"{self.key}: {', '.join(strangers)} is of another module.")
        if self.default_action not in ids:
            raise ValueError(f"{self.key}: its default action {self.default_action!r} is none of its own.")
        for action in self.actions:
            form_fields(action.input)  # an input that no form can ask for is a mistake to be told here


class Whole(fields.Integer):
    """A whole number within its range; the text of one is one, as forms send it."""

    def __init__(self, smallest: int, largest: int | None = None, **options: Any) -> None:
        upto = f"from {smallest:,} to {largest:,}" if largest is not None else f"of at least {smallest:,}"
        words = f"Give a whole number {upto}."
        self.smallest, self.largest = smallest, largest
        super().__init__(
            validate=validate.Range(smallest, largest, error=words),
            error_messages={
                "invalid": words,
                "null": words,
                "too_large": words,
                "required": f"Fill this in. {words}",
            },
            **options,
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Choice(fields.String):
    """One of the given words; ``choices`` are pairs of the word and what a page says for it."""

    def __init__(self, choices: Sequence[tuple[str, str]], **options: Any) -> None:
        words = f"Choose one of: {', '.join(word for word, _ in choices)}."
        self.choices = tuple(choices)
        super().__init__(
            validate=validate.OneOf([word for word, _ in choices], error=words),
            error_messages=dict.fromkeys(("invalid", "null", "required"), words),
            **options,
        )


class Texts(fields.List[Any]):
    """Texts in their order, repetitions included; each may be empty unless ``each`` refuses it."""

    def __init__(
        self,
        most: int,
        longest: int,
        each: Callable[[str], None] | None = None,
        *,
        fewest: int = 0,
        **options: Any,
    ) -> None:
        self.fewest, self.most = fewest, most
        length = validate.Length(max=longest, error=f"This is too long: at most {longest:,} characters.")
        item = fields.String(
            validate=[length, _storable, *([each] if each else [])],
            error_messages=dict.fromkeys(("invalid", "null"), "This must be text."),
        )
        limits = [
            validate.Length(min=fewest, error=f"Give at least {fewest}."),
            validate.Length(max=most, error=f"These are too many: at most {most:,}."),
        ]
        super().__init__(
            item,
            validate=limits,
            error_messages={
                **dict.fromkeys(("invalid", "null"), "This must be a list."),
                "required": "Fill this in.",
            },
            **options,
        )


def _storable(value: str) -> None:
    if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValidationError("This contains a character that cannot be stored.")


def says(label: str, text: str = "", *, secret: bool = False, **more: Any) -> dict[str, Any]:
    """The metadata of a field: its label, its help; ``secret`` ones are shown nowhere.

    ``kind="script"`` marks the input that names a script of the library, ``instead_of_script=True`` one that
    is given where none is chosen there, ``platforms`` what a choice is for. An input that follows from the
    others is not asked for with ``form=False``. ``picks`` says what a text, or each of several, names: a
    page then offers what there is (``workflows.options``) or says so (``alert``, ``ticket``, ``device``).
    ``vendor_alert=True`` marks the input that takes the vendor's own id of an alert.
    """
    return {"label": label, "help": text, "secret": secret, **more}


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One input of an action as a form shows it. ``kind``:

    * ``text``, ``long_text``, ``number``, ``decimal``, ``flag``; ``moment``, a time with its zone;
    * ``choice`` for one of ``choices``, ``choices`` for several of them, ``texts`` for a list of texts;
    * ``section`` for a part with ``fields`` of its own, ``sections`` for a list of such parts;
    * ``json`` for any object or list of JSON;
    * ``script`` for the number or name of a script, which is chosen in the connection's library.

    ``smallest`` and ``largest`` are the limits of a number, or of how many there may be in a list, and
    ``largest`` is the longest text otherwise. ``picks``: what a text, or each one, names (:func:`says`).
    ``platforms`` says which platforms a choice is for; one that is not named there is for all. One that is
    ``instead_of_script`` is asked for only where no script was chosen.
    """

    name: str
    label: str
    help: str
    kind: str
    required: bool
    default: Any
    choices: tuple[tuple[str, str], ...] = ()
    smallest: float | None = None
    largest: float | None = None
    secret: bool = False
    platforms: Mapping[str, Sequence[str]] = field(default_factory=dict)
    instead_of_script: bool = False
    picks: str | None = None
    fields: tuple[FormField, ...] = ()

    def on(self, platforms: Collection[str | None]) -> FormField:
        """The same with the choices that are for all of these platforms; ``None`` may be any."""
        known = [one for one in platforms if one is not None]
        fitting = [
            (value, words)
            for value, words in self.choices
            if all(one in self.platforms.get(value, known) for one in known)
        ]
        return replace(self, choices=tuple(fitting))


def form_fields(schema: type[Strict]) -> tuple[FormField, ...]:
    """The inputs of an action in the order of its contract; ``ValueError`` if no form can ask for one."""
    fields_ = schema().fields.items()
    return tuple(_form_field(name, field) for name, field in fields_ if field.metadata.get("form", True))


def _form_field(name: str, field: fields.Field[Any]) -> FormField:
    told = field.metadata
    default = field.load_default
    smallest, largest = _limits(field)
    return FormField(
        name=name,
        label=str(told.get("label") or name.replace("_", " ").capitalize()),
        help=str(told.get("help") or ""),
        kind=str(told.get("kind") or _kind(field)),
        required=field.required,
        default=None if default is missing else default() if callable(default) else default,
        choices=getattr(field, "choices", ()),
        smallest=smallest,
        largest=largest,
        secret=bool(told.get("secret")),
        platforms=told.get("platforms") or {},
        instead_of_script=bool(told.get("instead_of_script")),
        picks=told.get("picks"),
        fields=form_fields(inner) if (inner := part_of(field)) else (),
    )


def part_of(field: fields.Field[Any]) -> type[Strict] | None:
    """The contract of a part, or of each part of a list; ``None`` for any other field."""
    if isinstance(field, Sections):
        return field.contract
    return cast(type[Strict], type(field.schema)) if isinstance(field, Section) else None


_LIMITS = (("smallest", "largest"), ("fewest", "most"), ("shortest", "longest"))


def _limits(field: fields.Field[Any]) -> tuple[float | None, float | None]:
    pairs = ((getattr(field, low, None), getattr(field, high, None)) for low, high in _LIMITS)
    return next((pair for pair in pairs if pair != (None, None)), (None, None))


_KINDS: tuple[tuple[type[fields.Field[Any]], str], ...] = (
    (Flag, "flag"),
    (Whole, "number"),
    (Number, "decimal"),
    (Choice, "choice"),
    (Choices, "choices"),
    (Texts, "texts"),
    (Moment, "moment"),
    (Section, "section"),
    (Sections, "sections"),
    (Json, "json"),
    (fields.String, "text"),
)
"""The kind of each field; the first that fits."""


def _kind(field: fields.Field[Any]) -> str:
    if isinstance(field, Text) and not field.trimmed:
        return "long_text"
    found = next((kind for known, kind in _KINDS if isinstance(field, known)), None)
    if found is None:
        raise ValueError(f"No form can ask for {field.name}, a field of {type(field).__name__}.")
    return found


@cache
def runs_without_script(spec: ActionSpec) -> bool:
    """Whether it can be asked for without a script of the library."""
    return not any(one.kind == "script" and one.required for one in form_fields(spec.input))


@cache
def script_field(spec: ActionSpec) -> str | None:
    """The name of the input that is a script of the connection's library, for an action that runs one."""
    return next((one.name for one in form_fields(spec.input) if one.kind == "script"), None)


@cache
def alert_field(spec: ActionSpec) -> str | None:
    """The name of the input that takes the vendor's own id of an alert, for an action that is about one."""
    fields_ = spec.input().fields.items()
    return next((name for name, field in fields_ if field.metadata.get("vendor_alert")), None)


def load_input(spec: ActionSpec, value: Mapping[str, Any]) -> dict[str, Any]:
    """The input with its defaults filled in; raises ``Invalid`` with all errors by path."""
    try:
        return cast(dict[str, Any], spec.input().load(dict(value)))
    except ValidationError as error:
        raise Invalid(problems(error)) from error


def check_output(spec: ActionSpec, value: Mapping[str, Any]) -> None:
    """Raise ``Invalid`` when a provider's output is not what the action promises."""
    try:
        spec.output().load(dict(value))
    except ValidationError as error:
        raise Invalid(problems(error)) from error


def secret_fields(schema: type[Strict]) -> frozenset[str]:
    """Names of the inputs that are shown nowhere; those within a part by path, as in ``login.password``."""
    found = set[str]()
    for name, one in schema().fields.items():
        if one.metadata.get("secret"):
            found.add(name)
        elif inner := part_of(one):
            found |= {f"{name}.{path}" for path in secret_fields(inner)}
    return frozenset(found)
