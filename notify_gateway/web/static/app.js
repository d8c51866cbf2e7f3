// SPDX-License-Identifier: MIT
// What scripts add to the pages; without them everything works. Nothing is kept in the browser and nothing is asked of another site.
import { initAll } from "./vendor/govuk-frontend.js";

initAll();

for (const filter of document.querySelectorAll("details.app-filter")) {
  if (window.matchMedia("(min-width: 60em)").matches) filter.open = true;
}

const idle = document.getElementById("idle");
if (idle) {
  const wait = Number(idle.dataset.minutes) * 60000;
  let timer = 0;
  let last = Date.now();
  const begin = () => { clearTimeout(timer); timer = setTimeout(() => { idle.hidden = false; }, wait); };
  const stay = async () => {
    const answer = await fetch(idle.dataset.address, { credentials: "same-origin", redirect: "manual" });
    if (answer.ok) { idle.hidden = true; last = Date.now(); begin(); } else { idle.querySelector("p").textContent = "You have been signed out. What you typed is still on this page: sign in again in another window, then send it from here."; }
  };
  document.getElementById("stay").addEventListener("click", stay);
  // Whoever types for long on one page works, though no page is asked for meanwhile: the server is told, at most every five minutes.
  document.addEventListener("input", () => { if (idle.hidden && Date.now() - last > 300000) { last = Date.now(); stay(); } });
  begin();
}
