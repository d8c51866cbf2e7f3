// SPDX-License-Identifier: MIT
// Forms with a note that the service must never read: the text has no name, so that it is never sent; what is sent is sealed here, on sending.

import { sealNote } from "./envelope.js";
import { told } from "./words.js";

for (const area of document.querySelectorAll("textarea[data-sealed-note]")) begin(area);

function begin(area) {
  const form = area.form;
  const sealed = form.elements.namedItem("sealed_note");
  const fault = form.querySelector("[data-note-fault]");
  const place = { authority: area.dataset.authority, notification_id: area.dataset.notification, keys: JSON.parse(area.dataset.keys) };
  area.disabled = false;
  form.addEventListener("submit", async (event) => {
    const text = area.value.replaceAll("\r\n", "\n").trim();
    if (text === "") return;
    event.preventDefault();
    try {
      sealed.value = JSON.stringify(await sealNote(text, place));
      area.value = "";
      // Sealing may be over before this event is, and a form that is being sent is not sent again.
      setTimeout(() => form.requestSubmit(event.submitter), 0);
    } catch (error) {
      fault.textContent = told(error);
      fault.hidden = false;
    }
  });
}
