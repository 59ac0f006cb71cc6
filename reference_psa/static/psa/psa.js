// Small conveniences; every page works without them.
(function () {
  "use strict";
  var THEMES = ["auto", "light", "dark"];

  function themeSwitch() {
    var button = document.querySelector("[data-theme-switch]");
    if (!button) { return; }
    function label() {
      var word = { auto: "as the system", light: "light", dark: "dark" }[window.psaTheme.choice()];
      button.setAttribute("aria-label", "Colours: " + word + ". Change");
      button.title = "Colours: " + word;
    }
    button.hidden = false;
    label();
    button.addEventListener("click", function () {
      var next = (THEMES.indexOf(window.psaTheme.choice()) + 1) % THEMES.length;
      window.psaTheme.set(THEMES[next]);
      label();
    });
  }

  function closeOnEscape() {
    document.addEventListener("keydown", function (event) {
      if (event.key !== "Escape") { return; }
      document.querySelectorAll("details[data-menu][open]").forEach(function (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      });
      if (window.location.hash === "#psa-nav") { window.location.hash = "#"; }
    });
    document.addEventListener("click", function (event) {
      document.querySelectorAll("details[data-menu][open]").forEach(function (menu) {
        if (!menu.contains(event.target)) { menu.open = false; }
      });
    });
  }

  function searchKey() {
    document.addEventListener("keydown", function (event) {
      var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      var field = document.querySelector("main [type=search]") || document.querySelector("[type=search]");
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || !field) { return; }
      event.preventDefault();
      field.focus();
    });
  }

  function submitOnChange() {
    document.querySelectorAll("form[data-auto-submit]").forEach(function (form) {
      form.addEventListener("change", function () { form.requestSubmit(); });
    });
  }

  function confirmOnce() {
    document.querySelectorAll("form[data-confirm]").forEach(function (form) {
      form.addEventListener("submit", function (event) {
        if (!window.confirm(form.dataset.confirm)) { event.preventDefault(); }
      });
    });
  }

  themeSwitch();
  closeOnEscape();
  searchKey();
  submitOnChange();
  confirmOnce();
}());
