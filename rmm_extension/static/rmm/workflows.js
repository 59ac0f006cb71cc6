// The designer's forms, with script: actions and names are found while one types, expressions are tried at each
// pause with the values of the chosen run, and an input changes between a value and an expression without losing
// what was typed.
(() => {
  "use strict";
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const form = () => one("form[data-rmm-step]");

  // --- Finding among many
  function narrow(search, items, groups) {
    const wanted = search.value.trim().toLowerCase();
    let found = 0;
    all(items).forEach((item) => {
      item.hidden = !item.textContent.toLowerCase().includes(wanted);
      if (!item.hidden) found += 1;
    });
    all(groups).forEach((group) => {
      const has = all(items, group).some((item) => !item.hidden);
      group.hidden = !has;
      if (wanted && "open" in group) group.open = has;
    });
    return found;
  }
  function palette(search) {
    const found = narrow(search, "[data-rmm-action]", "[data-rmm-module]");
    one("[data-rmm-none]").hidden = found > 0;
    one("#rmm-said").textContent = `${found} ${found === 1 ? "action" : "actions"}`;
  }

  // --- Trying expressions
  const waiting = new Map();
  const asked = new Map();
  async function read(field) {
    const place = one(`[data-rmm-tried="${CSS.escape(field.id)}"]`);
    if (!place || !form()) return;
    const mine = (asked.get(field) || 0) + 1;
    asked.set(field, mine);
    const body = new FormData();
    body.set("csrf_token", new FormData(form()).get("csrf_token"));
    body.set("source", field.value);
    body.set("kind", field.dataset.rmmTakes);
    try {
      const headers = { Accept: "text/html", "X-CSRFToken": body.get("csrf_token") };
      const answer = await fetch(form().dataset.rmmTry, { method: "POST", body, headers });
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine === asked.get(field)) place.replaceChildren(...fresh.body.childNodes);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;  // the network is away: it is read when it is saved
    }
  }
  function soon(field) {
    clearTimeout(waiting.get(field));
    waiting.set(field, setTimeout(() => read(field), 400));
  }
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-rmm-takes]") && !asked.has(event.target)) read(event.target);
  });

  // --- The values of another run: beside the names, and for what is typed, which stays.
  async function valuesOf(select) {
    const url = new URL(location);
    url.searchParams.set("run", select.value);
    const answer = await fetch(url, { headers: { Accept: "text/html" } }).catch(() => null);
    const fresh = answer && answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
    const names = fresh && one("[data-rmm-names]", fresh), its = fresh && one("form[data-rmm-step]", fresh);
    if (!names || !its) { select.form.submit(); return; }
    const open = all("[data-rmm-names] details").map((part) => part.open);
    one("[data-rmm-names]").replaceChildren(...names.childNodes);
    all("[data-rmm-names] details").forEach((part, at) => { part.open = open[at] ?? part.open; });
    all("[data-rmm-noscript]").forEach((part) => { part.hidden = true; });
    all("[data-rmm-names] [data-rmm-script]").forEach((part) => { part.hidden = false; });
    form().dataset.rmmTry = its.dataset.rmmTry;
    history.replaceState(null, "", url);
    document.dispatchEvent(new Event("rmm-names"));
    [...asked.keys()].filter((field) => field.isConnected).forEach(read);
    one("#" + CSS.escape(select.id)).focus();
  }

  // --- A value, or an expression
  const written = (input) => one(".rmm-as-value :is(textarea, input:not([type]), input[type=text])", input);
  function switched(radio) {
    const input = radio.closest("[data-rmm-input]");
    const template = one("[data-rmm-takes]", input);
    const value = written(input);
    if (radio.value === "template" && value && value.value && !template.value) {
      template.value = value.value;
      soon(template);
    }
    hint(input);
  }
  // Braces in a value are left to the vendor; who meant an expression is told so.
  function hint(input) {
    const value = written(input);
    const is = Boolean(value) && value.value.includes("{{") && one("input[type=radio][value=value]", input).checked;
    let line = one("[data-rmm-braces]", input);
    if (!is) { if (line) line.remove(); return; }
    if (line) return;
    line = document.createElement("p");
    line.className = "form-text";
    line.dataset.rmmBraces = "";
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm btn-link p-0 align-baseline";
    button.textContent = "Make it an expression";
    button.addEventListener("click", () => { one("input[type=radio][value=template]", input).click(); one("[data-rmm-takes]", input).focus(); });
    line.append("What stands in braces is not worked out here: it goes to the action as it is. ", button);
    one(".rmm-as-value", input).append(line);
  }

  function changed(field) {
    if (field.matches("[data-rmm-palette]")) palette(field);
    else if (field.matches("[data-rmm-find-name]")) narrow(field, "[data-rmm-name]", "[data-rmm-group]");
    else if (field.matches("[data-rmm-takes]")) soon(field);
    else if (field.closest(".rmm-as-value")) hint(field.closest("[data-rmm-input]"));
  }
  document.addEventListener("input", (event) => changed(event.target));
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-rmm-input] .rmm-modes input")) switched(event.target);
    if (event.target.matches("[data-rmm-values] select")) valuesOf(event.target);
  });

  function start() {
    all("[data-rmm-input]").forEach(hint);
    // What was typed before this script was there, or what the browser kept of a page left earlier.
    all("[data-rmm-palette], [data-rmm-find-name], [data-rmm-takes]")
      .filter((field) => field.value !== field.defaultValue)
      .forEach(changed);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
