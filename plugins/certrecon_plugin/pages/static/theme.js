// Follows the choice of light or dark that Airflow's web UI keeps; without it the system's own counts.
(() => {
  "use strict";
  const KEY = "theme";
  const follow = () => {
    let chosen = null;
    try {
      chosen = window.localStorage.getItem(KEY);
    } catch {
      chosen = null; // storage is closed to this page
    }
    const known = chosen === "light" || chosen === "dark";
    if (known) document.documentElement.dataset.theme = chosen;
    else delete document.documentElement.dataset.theme;
  };
  follow();
  window.addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) follow();
  });
})();
