// Sets the colour scheme before the first paint; loaded in <head>, so nothing flashes.
(function () {
  "use strict";
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function stored() {
    try { return window.localStorage.getItem("psa-theme"); } catch (error) { return null; }
  }
  function apply() {
    var choice = stored() || "auto";
    var theme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    document.documentElement.setAttribute("data-bs-theme", theme);
    document.documentElement.setAttribute("data-psa-theme", choice);
  }
  window.psaTheme = {
    choice: function () { return stored() || "auto"; },
    set: function (choice) {
      try { window.localStorage.setItem("psa-theme", choice); } catch (error) { /* private mode: this page only */ }
      apply();
    }
  };
  dark.addEventListener("change", apply);
  apply();
}());
