// The list of rules and their editor, with script: changes of the order without loading the page, and tries of
// the form as it stands. Without it every button sends its form.
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

  // --- The list
  const list = () => one("[data-rmm-rules]");
  const lines = () => all("tr[data-rmm-rule]");
  const order = () => lines().map((line) => line.dataset.rmmRule);
  const lineOf = (id) => lines().find((line) => line.dataset.rmmRule === id);
  const nameOf = (line) => one("[data-rmm-open]", line).textContent;

  async function change(form, body) {
    try {
      const fresh = one("[data-rmm-rules]", await post(form.getAttribute("action"), body));
      if (!fresh) throw new Error("no list");
      list().replaceChildren(...fresh.childNodes);
      grips();
      return true;
    } catch {
      location.reload();
      return false;
    }
  }
  async function inPlace(form, button) {
    const { rmmRule: id } = button.closest("tr").dataset;
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
    dragged = grip.closest("tr");
    before = order().join();
    dragged.classList.add("rmm-dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", nameOf(dragged));
    event.dataTransfer.setDragImage(dragged, 0, 0);
  });
  document.addEventListener("dragover", (event) => {
    const line = dragged && event.target.closest("tr[data-rmm-rule]");
    if (!line) return;
    event.preventDefault();
    const box = line.getBoundingClientRect();
    if (line !== dragged) line[event.clientY < box.top + box.height / 2 ? "before" : "after"](dragged);
  });
  document.addEventListener("drop", (event) => { if (dragged) event.preventDefault(); });
  document.addEventListener("dragend", async (event) => {
    if (!dragged) return;
    const id = dragged.dataset.rmmRule;
    dragged.classList.remove("rmm-dragged");
    dragged = null;
    const wanted = order().join();
    if (wanted === before) return;
    if (event.dataTransfer.dropEffect === "none") { location.reload(); return; }  // Escape, or dropped outside
    const form = one("form[data-rmm-order]");
    const body = new FormData(form);
    order().forEach((rule) => body.append("ids", rule));
    if (!(await change(form, body))) return;
    const saved = order().join() === wanted;
    if (!saved) say("The order was not saved, because the rules were changed meanwhile.");
    else say(`${nameOf(lineOf(id))} is number ${order().indexOf(id) + 1} of ${lines().length}.`);
  });

  // --- The editor
  const editor = () => one("form[data-rmm-rule-form]");
  const part = (name) => document.getElementById(`rmm-part-${name}`);
  const asked = {};
  function busy(text) {
    const bar = document.createElement("progress");
    bar.className = "rmm-progress";
    bar.setAttribute("aria-label", text);
    const line = document.createElement("p");
    line.className = "rmm-sub mt-1";
    line.textContent = text;
    return [bar, line];
  }
  async function attempt(name, button) {
    const form = editor();
    const place = part(name);
    const mine = (asked[name] = (asked[name] || 0) + 1);
    const body = new FormData(form);
    body.set("do", name);
    place.setAttribute("aria-busy", "true");
    if (button) {
      const text = button.dataset.rmmBusy || "Asking…";
      button.setAttribute("aria-disabled", "true");
      place.replaceChildren(...busy(text));
      say(text);
    }
    try {
      const fresh = await post(form.dataset.rmmTry, body);
      if (mine === asked[name]) place.replaceChildren(...fresh.body.childNodes);
    } catch {
      if (mine === asked[name]) place.textContent = "That did not work. Try again, or save the rule and open it anew.";
    }
    if (button) button.removeAttribute("aria-disabled");
    if (mine !== asked[name]) return;
    place.removeAttribute("aria-busy");
    if (button) say(one("p", place) ? one("p", place).textContent : place.textContent);
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=do]");
    if (!button || !editor() || button.value === "save") return;
    event.preventDefault();
    if (button.getAttribute("aria-disabled") !== "true") attempt(button.value, button);
  });

  const waiting = {};
  function soon(name, delay) {
    clearTimeout(waiting[name]);
    waiting[name] = setTimeout(() => attempt(name), delay);
  }
  function changed(event) {
    const field = event.target;
    if (!field.closest("form[data-rmm-rule-form]") || field.matches("[data-rmm-narrow]")) return;
    if (["message_pattern", "sample"].includes(field.name)) soon("pattern", 350);
    if (!["sample", "days"].includes(field.name)) soon("preview", 700);
  }
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-rmm-narrow]")) narrow(event.target);
    changed(event);
  });

  function narrow(search) {
    const wanted = search.value.trim().toLowerCase();
    all(".rmm-pick", document.getElementById(search.dataset.rmmNarrow)).forEach((pick) => {
      const fits = one("[data-rmm-label]", pick).textContent.toLowerCase().includes(wanted);
      pick.hidden = !fits && !one("input", pick).checked;
    });
  }

  // A placeholder goes where the cursor was last, or into the text.
  let template = null;
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("#title_template, #description_template")) template = event.target;
  });
  function placeholders() {
    all("code[data-rmm-insert]").forEach((code) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.rmmInsert = code.dataset.rmmInsert;
      button.textContent = code.textContent;
      button.setAttribute("aria-label", `Insert ${code.textContent}`);
      code.replaceWith(button);
    });
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-rmm-insert]");
    const field = button && (template || one("#description_template"));
    if (!field) return;
    field.setRangeText(button.dataset.rmmInsert, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  function start() {
    grips();
    placeholders();
    // What was typed before this script was there, or what the browser kept of a page left earlier.
    const fields = editor() ? [...editor().elements] : [];
    fields.filter((field) => "defaultValue" in field && field.value !== field.defaultValue)
      .forEach((field) => changed({ target: field }));
    all("[data-rmm-script]").forEach((piece) => { piece.hidden = false; });
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
