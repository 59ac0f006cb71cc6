// What pages gain from script; each of them works without. One listener per kind of event on the document, so
// that a swapped part needs nothing bound anew.
(() => {
  "use strict";
  const root = document.documentElement;
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  if (root.hasAttribute("data-rmm-theme")) {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const set = () => { root.dataset.bsTheme = dark.matches ? "dark" : "light"; };
    dark.addEventListener("change", set);
    set();
  }

  // --- Lists: swap the results alone when a filter changes; the count is announced by its live region.
  let asked = 0;
  async function swap(url, push) {
    const mine = ++asked;
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    if (mine !== asked) return;
    if (!answer.ok || answer.redirected) { location.assign(url); return; }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const parts = ["rmm-results", "rmm-chips", "rmm-count"];
    if (mine !== asked || !parts.every((id) => fresh.getElementById(id))) return;
    for (const id of parts) document.getElementById(id).replaceChildren(...fresh.getElementById(id).childNodes);
    if (push) history.replaceState(null, "", url);
    all("a[data-rmm-follow]").forEach((link) => { link.search = new URL(url, location.href).search; });
    ready();
  }
  function filterUrl(form) {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) query.append(name, value);
    return `${form.getAttribute("action") || location.pathname}?${query}`;
  }
  let typing;
  const filters = (target) => target.closest && target.closest("form[data-rmm-filters]");
  document.addEventListener("change", (event) => {
    const form = filters(event.target);
    if (form && event.target.type !== "search") swap(filterUrl(form), true);
    if (event.target.matches("[data-rmm-all]")) selectAll(event.target.checked);
    if (event.target.matches("[data-rmm-select], [data-rmm-all]")) bulk();
  });
  document.addEventListener("input", (event) => {
    const form = filters(event.target);
    if (!form || event.target.type !== "search") return;
    clearTimeout(typing);
    typing = setTimeout(() => swap(filterUrl(form), true), 400);
  });
  document.addEventListener("submit", (event) => {
    const form = filters(event.target);
    if (form) { event.preventDefault(); clearTimeout(typing); swap(filterUrl(form), true); return; }
    const question = (event.submitter && event.submitter.dataset.rmmConfirm) || event.target.dataset.rmmConfirm;
    if (question && !confirm(question)) { event.preventDefault(); return; }
    // A double click must not send a form twice; the name of the button still travels with the first one.
    // A form that answers in a tab of its own leaves this page as it is, to be used again.
    if (event.target.method === "post" && event.target.target !== "_blank") {
      if (event.target.dataset.rmmSent) { event.preventDefault(); return; }
      event.target.dataset.rmmSent = "1";
      if (event.target.matches("#rmm-asked [data-rmm-asks]")) { event.preventDefault(); send(event.target); }
    }
  });
  addEventListener("pageshow", () => all("form[data-rmm-sent]").forEach((form) => delete form.dataset.rmmSent));

  // --- Selection
  function selectAll(on) { all("[data-rmm-select]").forEach((box) => { box.checked = on; }); }
  function bulk() {
    const chosen = all("[data-rmm-select]:checked").length;
    all("[data-rmm-bulk]").forEach((bar) => { bar.hidden = chosen === 0; });
    all("[data-rmm-chosen]").forEach((text) => { text.textContent = `${chosen} selected`; });
  }

  // --- Progress: a fragment replaces itself until it no longer asks to be asked again.
  const watched = new WeakSet();
  function watch(part) {
    if (watched.has(part)) return;
    watched.add(part);
    setTimeout(async () => {
      if (!part.isConnected) return;
      watched.delete(part);
      if (document.hidden) { watch(part); return; }
      try {
        const answer = await fetch(part.dataset.rmmPoll, { headers: { Accept: "text/html" } });
        if (!answer.ok || answer.redirected) { part.removeAttribute("data-rmm-poll"); return; }
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
        if (!fresh) return;
        if (part.dataset.rmmReload && !fresh.dataset.rmmPoll && !writing()) { location.reload(); return; }
        fresh.dataset.rmmReload = part.dataset.rmmReload || "";
        // What a person has opened to read, or closed, stays so.
        for (const mine of all("details[id]", part)) {
          const its = fresh.querySelector(`#${CSS.escape(mine.id)}`);
          if (its) its.open = mine.open;
        }
        part.replaceWith(fresh);
        ready();
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        watch(part);  // the network is away for a moment
      }
    }, 1500);
  }

  // --- Actions in place: the form of one unfolds on the page one works on, and what comes of it is followed there.
  // Whatever else is on that page, which may be the host's own, stays as it is.
  const spot = (from = document) => from.getElementById("rmm-asked");
  const parsed = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");
  async function inPlace(url, options) {
    const answer = await fetch(url, { headers: { Accept: "text/html" }, ...options });
    const fresh = await parsed(answer), form = one("form[data-rmm-asks]", fresh);
    if (form) { unfold(form); return true; }
    const known = new URL(answer.url).pathname === location.pathname && spot(fresh) && spot(fresh).firstElementChild;
    if (!answer.ok || !known) return false;
    for (const id of ["rmm-asked", "rmm-recent-actions"]) {
      const mine = document.getElementById(id), its = fresh.getElementById(id);
      if (mine && its) mine.replaceChildren(...its.childNodes);
    }
    history.replaceState(null, "", answer.url);
    ready();
    lead(one("[tabindex]", spot()));
    return true;
  }
  function unfold(form) {
    const box = document.createElement("section"), title = document.createElement("h2");
    box.className = "rmm-asked";
    title.className = "h5";
    title.tabIndex = -1;
    title.textContent = form.dataset.rmmAsks;
    box.append(title, form);
    spot().replaceChildren(box);
    all("details.rmm-menu[open]").forEach((menu) => { menu.open = false; });
    lead(one(".rmm-summary", box) || title);
  }
  function lead(part) {
    spot().scrollIntoView({ block: "start" });
    part.focus({ preventScroll: true });
  }
  async function send(form) {
    // What cannot be shown here is shown by the browser; asked for twice under one key, it is done once.
    const sent = await inPlace(form.action, { method: "POST", body: new FormData(form) }).catch(() => false);
    if (!sent) form.submit();
  }
  document.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || !spot()) return;
    const link = event.target.closest("a[data-rmm-here]");
    if (link) {
      event.preventDefault();
      if (!await inPlace(link.href).catch(() => false)) location.assign(link.href);
    } else if (event.target.closest("#rmm-asked a[data-rmm-fold]")) {
      event.preventDefault();
      spot().replaceChildren();
    }
  });

  // --- Times: what the reader's own clock says, in the title. The page itself says UTC.
  const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
  const told = new WeakSet();
  function tellTime(part) {
    if (told.has(part)) return;
    told.add(part);
    const here = clock.format(new Date(part.dateTime));
    part.title = part.title ? `${here} (${part.title})` : here;
  }

  // --- Copy
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-rmm-copy]");
    if (!button) return;
    const text = one(".rmm-copy-text", button.parentElement).textContent;
    const label = one("span", button);
    try {
      await navigator.clipboard.writeText(text);
      label.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(one(".rmm-copy-text", button.parentElement));
      label.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { label.textContent = "Copy"; }, 2000);
  });

  // --- Keyboard: / search, j and k rows, x select, Enter open, ? help
  const rows = () => all("#rmm-results tbody tr[data-rmm-row]");
  function move(step) {
    const list = rows();
    if (!list.length) return;
    const at = list.findIndex((row) => row.classList.contains("rmm-current"));
    const next = list[Math.min(Math.max(at + step, 0), list.length - 1)];
    list.forEach((row) => row.classList.toggle("rmm-current", row === next));
    const link = one("a[data-rmm-open]", next);
    if (link) link.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }
  const current = () => one("#rmm-results tr.rmm-current");
  function help() {
    let box = one("dialog.rmm-help");
    if (!box) {
      box = document.createElement("dialog");
      box.className = "rmm rmm-help";
      box.setAttribute("aria-label", "Keys");
      const list = document.createElement("dl");
      for (const [key, what] of [["/", "Search"], ["j, k", "Next and previous row"], ["x", "Select the row"], ["Enter", "Open the row"], ["?", "This help"], ["Esc", "Close"]]) {
        const term = document.createElement("dt"); term.textContent = key;
        const text = document.createElement("dd"); text.textContent = what;
        list.append(term, text);
      }
      box.append(list);
      box.addEventListener("click", () => box.close());
      document.body.append(box);
    }
    box.showModal();
  }
  const keys = {
    "/": () => { const field = one("[data-rmm-search]"); if (field) { field.focus(); field.select(); } return field; },
    j: () => { move(1); return rows().length; },
    k: () => { move(-1); return rows().length; },
    x: () => { const box = current() && one("[data-rmm-select]", current()); if (box) { box.checked = !box.checked; bulk(); } return box; },
    Enter: () => { const link = document.activeElement === document.body && current() && one("a[data-rmm-open]", current()); if (link) link.click(); return link; },
    "?": () => { help(); return true; },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !one("[data-rmm]")) return;
    if (event.target.closest("input, select, textarea, dialog, [contenteditable]")) {
      if (event.key === "Escape" && event.target.matches("[data-rmm-search]")) event.target.blur();
      if (!event.target.matches("[data-rmm-select]")) return;
    }
    if (Object.hasOwn(keys, event.key) && keys[event.key]()) event.preventDefault();
  });

  function ready() {
    all("[data-rmm-copy]").forEach((button) => { button.hidden = false; });
    all("[data-rmm-poll]").forEach(watch);
    all(".rmm time[datetime]").forEach(tellTime);
    all("[data-rmm-noscript]").forEach((part) => { part.hidden = true; });
    all("[data-rmm-script]").forEach((part) => { part.hidden = false; });
    bulk();
  }
  // What was typed or chosen before this script was there, or what the browser kept of a page left earlier.
  function changedEarly(field) {
    if (field.options) return field.selectedIndex !== Math.max([...field.options].findIndex((option) => option.defaultSelected), 0);
    return field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
  }
  const writing = () => all("form:not([data-rmm-filters]) :is(input:not([type=hidden]), select, textarea)").some(changedEarly);
  function start() {
    ready();
    all("form[data-rmm-filters]").forEach((form) => {
      if (all("input:not([type=hidden]), select", form).some(changedEarly)) swap(filterUrl(form), true);
    });
    const summary = one(".rmm-summary");
    if (summary) summary.focus();
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
