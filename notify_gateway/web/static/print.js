// SPDX-License-Identifier: MIT
// A button for what the browser's own menu can do as well.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
