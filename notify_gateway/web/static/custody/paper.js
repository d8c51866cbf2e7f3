// SPDX-License-Identifier: MIT
// Sheets of paper with lines for who the child is: fills them in, in this page alone, from cards that the officer may see at this moment.
// What is filled in is sent nowhere and kept nowhere, and goes again when the time is over.

import { ask, openHandOver, ownDevice } from "./card.js";
import { sectionsOf } from "./sheet.js";
import { told } from "./words.js";

const tools = document.querySelector("[data-paper-filling]");
const sheets = [...document.querySelectorAll("[data-paper-child]")];
if (tools !== null) begin(tools, sheets.filter((sheet) => sheet.dataset.ready === "yes"));

function begin(tools, ready) {
  const [fill, empty, none, said, fault] = ["fill", "clear", "none", "said", "fault"].map((name) => tools.querySelector(`[data-paper-${name}]`));
  let timer = 0;
  tools.hidden = false;
  fill.hidden = ready.length === 0;
  none.hidden = ready.length === sheets.length;

  const clear = (words) => {
    clearTimeout(timer);
    for (const sheet of sheets) show(sheet, {}, false);
    empty.hidden = true;
    fill.hidden = ready.length === 0;
    said.textContent = words;
  };

  fill.addEventListener("click", async () => {
    fault.hidden = true;
    fill.hidden = true;
    said.textContent = "Opening…";
    let left = Infinity;
    let filled = 0;
    try {
      for (const sheet of ready) {
        const device = await ownDevice(sheet.dataset.authority);
        const handed = await ask(sheet.dataset.address, new URLSearchParams({ form_token: tools.dataset.token }), device.kid);
        const { card } = await openHandOver(handed, sheet.dataset, device);
        show(sheet, linesOf(card, handed.words), true);
        left = Math.min(left, handed.seconds_left);
        filled += 1;
      }
      const until = new Date(Date.now() + left * 1000).toLocaleTimeString("en-GB", { hour: "numeric", minute: "2-digit" });
      said.textContent = `Filled in on ${filled} of ${sheets.length}, until ${until}. This has been recorded.`;
      empty.hidden = false;
      timer = setTimeout(() => clear("The time is over, and the details are gone from the page."), left * 1000);
    } catch (error) {
      clear("");
      fault.textContent = told(error);
      fault.hidden = false;
    }
  });
  empty.addEventListener("click", () => clear("Taken off again."));
  // What was opened is not to come back with the browser's own memory of the page.
  window.addEventListener("pagehide", () => clear(""));
}

function linesOf(card, words) {
  const sections = sectionsOf(card, words);
  const find = (name) => Object.fromEntries(sections.find((section) => section.heading === words.headings[name])?.groups[0] ?? []);
  const child = find("child");
  const carer = find("carers");
  const first = (lines, name) => (lines[words.labels[name]] ?? [])[0] ?? "";
  const plain = (text) => text.replace(/ \([^()]*\)$/, "");
  return {
    name: plain(first(child, "names")),
    born: first(child, "birth_date"),
    number: first(child, "nhs_number"),
    address: card.child?.address_restricted ? "Restricted: not to be written down" : first(child, "address"),
    carer: [plain(first(carer, "names")), first(carer, "relationship")].filter(Boolean).join(", "),
    phone: plain(first(carer, "telecoms") || first(child, "telecoms")),
  };
}

function show(sheet, lines, filled) {
  for (const place of sheet.querySelectorAll("[data-fill]")) place.textContent = lines[place.dataset.fill] ?? "";
  for (const place of sheet.querySelectorAll("[data-when-empty]")) place.hidden = filled;
  for (const place of sheet.querySelectorAll("[data-when-filled]")) place.hidden = !filled;
}
