// Names that are put into a field by a click, with script: where the cursor was last. Without it they are there to
// be read. A field says by data-rmm-takes what it takes: "text" a name as it stands, "expression" the same,
// "template" one between braces.
(() => {
  "use strict";
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  let last = null;
  document.addEventListener("focusin", (event) => {
    const input = event.target.closest("[data-rmm-input]");
    if (event.target.matches("[data-rmm-takes]")) last = event.target;
    else if (input) last = one("[data-rmm-takes]", input);
  });

  function buttons() {
    all("code[data-rmm-insert]").forEach((code) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.rmmInsert = code.dataset.rmmInsert;
      button.textContent = code.textContent;
      button.setAttribute("aria-label", `Insert ${code.textContent}`);
      code.replaceWith(button);
    });
  }
  // Between braces already, or not.
  function isWithin(field) {
    const before = field.value.slice(0, field.selectionStart);
    return before.lastIndexOf("{{") > before.lastIndexOf("}}");
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-rmm-insert]");
    const field = button && (last || one("[data-rmm-takes-first]") || one("[data-rmm-takes]"));
    if (!field) return;
    const input = field.closest("[data-rmm-input]");
    const mode = input && one("input[type=radio][value=template]", input);
    if (mode && !mode.checked) mode.click();
    const name = button.dataset.rmmInsert;
    const text = field.dataset.rmmTakes === "template" && !isWithin(field) ? `{{ ${name} }}` : name;
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  document.addEventListener("rmm-names", buttons);  // others were put in their place
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", buttons);
  else buttons();
})();
