// The editor of a rule, with script: tries of the form as it stands. Without it every button sends its form.
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

  function start() {
    // What was typed before this script was there, or what the browser kept of a page left earlier.
    const fields = editor() ? [...editor().elements] : [];
    fields.filter((field) => "defaultValue" in field && field.value !== field.defaultValue)
      .forEach((field) => changed({ target: field }));
    all("[data-rmm-script]").forEach((piece) => { piece.hidden = false; });
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
