"""What a browser without script makes of a form: the pairs it would send."""

from __future__ import annotations

from html.parser import HTMLParser

from werkzeug.datastructures import MultiDict

_TEXTS = ("text", "number", "password", "datetime-local", "search", "hidden")


class Form(HTMLParser):
    """Reads inputs, areas and lists of a page; ``sent`` is what its button would send."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: MultiDict[str, str] = MultiDict()
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self._list = self._area = self._text = self._now = ""
        self._texts: dict[str, str] = {}
        self._options: list[tuple[str, bool]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if "id" in told:
            self.ids.append(told["id"])
            self._now = told["id"]
        if tag == "label":
            self.labels.add(told.get("for", ""))
        if tag == "input":
            self._input(told, "checked" in told)
        elif tag == "textarea":
            self._area, self._text = told["name"], ""
        elif tag == "select":
            self._list, self._options = told["name"], []
        elif tag == "option" and self._list:
            self._options.append((told["value"], "selected" in told))

    def handle_data(self, data: str) -> None:
        self._text += data
        self._texts[self._now] = self._texts.get(self._now, "") + data

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self._now = ""
        if tag == "textarea":
            # A browser drops the first line end of an area, and sends lines as the standard says.
            self.sent.add(self._area, self._text.removeprefix("\n").replace("\n", "\r\n"))
        elif tag == "select":
            chosen = [value for value, selected in self._options if selected]
            first = [value for value, _ in self._options[:1]]
            for value in (chosen or first)[-1:]:
                self.sent.add(self._list, value)
            self._list = ""

    def _input(self, told: dict[str, str], checked: bool) -> None:
        kind = told.get("type", "text")
        if told.get("name") and (kind in _TEXTS or (kind in ("checkbox", "radio") and checked)):
            self.sent.add(told["name"], told.get("value", ""))

    def texts_of(self, behind: str) -> dict[str, str]:
        """The texts of the elements whose ids end with this, by the rest of their ids."""
        return {
            name.removesuffix(behind): text.strip()
            for name, text in self._texts.items()
            if name.endswith(behind)
        }
