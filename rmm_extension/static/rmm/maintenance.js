// The editor of a maintenance window: its next times while one types, and assets to choose from. Loaded there only.
(() => {
  "use strict";
  const form = document.querySelector("[data-rmm-window]");
  const shown = document.querySelector("[data-rmm-times]");
  if (!form || !shown) return;
  const part = (name) => shown.querySelector(`[data-rmm-${name}]`);

  async function ask(url, fields) {
    const answer = await fetch(`${url}?${new URLSearchParams(fields)}`);
    return answer.ok && !answer.redirected ? answer.json() : null;
  }
  function element(name, text, style = "") {
    const made = document.createElement(name);
    made.textContent = text;
    made.className = style;
    return made;
  }
  function time(local, utc) {
    const item = document.createElement("li");
    item.append(element("span", local), element("span", `${utc} UTC`, "rmm-sub"));
    return item;
  }

  let asked = 0;
  async function preview() {
    const mine = ++asked;
    const fields = [...new FormData(form)].filter(([name]) => name !== "csrf_token");
    const found = await ask(shown.dataset.rmmTimes, fields);
    if (!found || mine !== asked) return;
    part("problems").replaceChildren(...found.problems.map((text) => element("li", text)));
    part("next").replaceChildren(...found.times.map(({ local, utc }) => time(local, utc)));
    part("zone").textContent = found.zone;
    part("problems").hidden = !found.problems.length;
    part("next").hidden = part("zone-line").hidden = !found.times.length;
    part("never").hidden = Boolean(found.times.length || found.problems.length);
  }

  let looked = 0;
  async function assets(field) {
    const mine = ++looked;
    const found = await ask(form.dataset.rmmWindow, { q: field.value });
    if (!found || mine !== looked) return;
    document.getElementById("rmm-assets").replaceChildren(...found.assets.map((label) => element("option", label)));
  }

  const waiting = {};
  function soon(what, work) {
    clearTimeout(waiting[what]);
    waiting[what] = setTimeout(work, 300);
  }
  // Offered only for a connection whose vendor can be told, or for all of them.
  const atVendor = form.querySelector("[data-rmm-at-vendor]");
  const able = atVendor ? atVendor.dataset.rmmAtVendor.split(" ") : [];
  function offer() {
    const chosen = form.elements.connection.value;
    atVendor.hidden = Boolean(chosen) && !able.includes(chosen);
    atVendor.querySelector("input").disabled = atVendor.hidden;
  }
  if (atVendor) {
    form.elements.connection.addEventListener("change", offer);
    offer();
  }

  form.addEventListener("input", (event) => {
    if (event.target.name === "asset") soon("assets", () => assets(event.target));
    else if (!["name", "connection", "client", "is_active", "at_vendor"].includes(event.target.name)) soon("preview", preview);
  });
})();
