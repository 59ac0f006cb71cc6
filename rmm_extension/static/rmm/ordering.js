// Lists that are put in order, with script: by their buttons without loading the page, and by dragging. Without it
// every button sends its form. The list has data-rmm-ordered, each of its items data-rmm-item.
(() => {
  "use strict";
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const parsed = (text) => new DOMParser().parseFromString(text, "text/html");

  async function post(url, body) {
    const headers = { Accept: "text/html", "X-CSRFToken": body.get("csrf_token") };
    const answer = await fetch(url, { method: "POST", body, headers });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return parsed(await answer.text());
  }
  function say(text) {
    const place = one("#rmm-said");
    if (place) place.textContent = text;
  }

  const list = () => one("[data-rmm-ordered]");
  const lines = () => all("[data-rmm-item]");
  const order = () => lines().map((line) => line.dataset.rmmItem);
  const lineOf = (id) => lines().find((line) => line.dataset.rmmItem === id);
  const nameOf = (line) => one("[data-rmm-open]", line).textContent;

  async function change(form, body) {
    try {
      const fresh = one("[data-rmm-ordered]", await post(form.getAttribute("action"), body));
      if (!fresh) throw new Error("no list");
      list().replaceChildren(...fresh.childNodes);
      grips();
      return !told(fresh.ownerDocument);
    } catch {
      location.reload();
      return false;
    }
  }
  // What the server refuses it says on the page it leads to, which is not the one that is looked at.
  function told(answer) {
    const refused = one("template[data-rmm-refused]", answer);
    if (!refused) return false;
    const box = document.createElement("div");
    box.className = "rmm-note rmm-note-danger";
    box.setAttribute("role", "alert");
    box.tabIndex = -1;
    box.append(refused.content);
    list().prepend(box);
    box.focus();
    say("That was not saved.");
    return true;
  }
  async function inPlace(form, button) {
    const { rmmItem: id } = button.closest("[data-rmm-item]").dataset;
    const key = button.dataset.rmmKey;
    if (!(await change(form, new FormData(form)))) return;
    const line = lineOf(id);
    if (!line) return;
    const usable = (name) => one(`[data-rmm-key="${name}"]:not(:disabled)`, line);
    const again = usable(key) || usable(key === "up" ? "down" : "up");
    if (again) again.focus();
    if (key === "switch") say(`${nameOf(line)}: ${again.textContent}`);
    else say(`${nameOf(line)} is number ${order().indexOf(id) + 1} of ${lines().length}.`);
  }
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || !event.target.matches("form[data-rmm-inplace]")) return;
    event.preventDefault();
    inPlace(event.target, event.submitter);
  });

  let dragged = null;
  let before = "";
  function grips() { all("[data-rmm-grip]").forEach((grip) => { grip.hidden = lines().length < 2; }); }
  document.addEventListener("dragstart", (event) => {
    const grip = event.target.closest && event.target.closest("[data-rmm-grip]");
    if (!grip) return;
    dragged = grip.closest("[data-rmm-item]");
    before = order().join();
    dragged.classList.add("rmm-dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", nameOf(dragged));
    event.dataTransfer.setDragImage(dragged, 0, 0);
  });
  document.addEventListener("dragover", (event) => {
    const line = dragged && event.target.closest("[data-rmm-item]");
    if (!line) return;
    event.preventDefault();
    const box = line.getBoundingClientRect();
    if (line !== dragged) line[event.clientY < box.top + box.height / 2 ? "before" : "after"](dragged);
  });
  document.addEventListener("drop", (event) => { if (dragged) event.preventDefault(); });
  document.addEventListener("dragend", async (event) => {
    if (!dragged) return;
    const id = dragged.dataset.rmmItem;
    dragged.classList.remove("rmm-dragged");
    dragged = null;
    const wanted = order().join();
    if (wanted === before) return;
    if (event.dataTransfer.dropEffect === "none") { location.reload(); return; }  // Escape, or dropped outside
    const form = one("form[data-rmm-order]");
    const body = new FormData(form);
    order().forEach((item) => body.append("ids", item));
    if (!(await change(form, body))) return;
    say(`${nameOf(lineOf(id))} is number ${order().indexOf(id) + 1} of ${lines().length}.`);
  });

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", grips);
  else grips();
})();
