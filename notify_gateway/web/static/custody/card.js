// SPDX-License-Identifier: MIT
// The page on which an officer opens a card, and a manager the original: asks the service, checks every signature and digest, shows it for as
// long as the service allows, and takes it away again. What is opened is in this page alone: it is sent nowhere and kept nowhere.

import { sha256, textOf, toHex, utf8 } from "./encoding.js";
import { CannotOpen, noteDigest, openEnvelope } from "./envelope.js";
import { heldKey, knownGateway } from "./keys.js";
import { day, made, sectionsOf, shown } from "./sheet.js";
import { Missing, Refusal, told } from "./words.js";

const page = document.querySelector("[data-custody-card]");
if (page !== null) begin(page);

async function begin(page) {
  const parts = Object.fromEntries(["form", "said", "fault", "sheet", "hide", "until"].map((name) => [name, page.querySelector(`[data-${name}]`)]));
  let timer = 0;

  const clear = (words) => {
    clearTimeout(timer);
    parts.sheet.replaceChildren();
    parts.sheet.hidden = parts.hide.hidden = true;
    parts.form.hidden = false;
    parts.said.textContent = words;
  };

  const open = async (body) => {
    parts.fault.hidden = true;
    parts.said.textContent = "Opening…";
    try {
      const device = await ownDevice(page.dataset.authority);
      const handed = await ask(page.dataset.address, body, device.kid);
      const opened = await openHandOver(handed, page.dataset, device);
      parts.sheet.replaceChildren(opened.sheet);
      parts.sheet.hidden = parts.hide.hidden = false;
      parts.form.hidden = true;
      parts.said.textContent = `Shown until ${moment(Date.now() + handed.seconds_left * 1000)}. This has been recorded.`;
      clearTimeout(timer);
      timer = setTimeout(() => clear("The time is over, and the details are hidden. Say again why you need them."), handed.seconds_left * 1000);
    } catch (error) {
      clear("");
      parts.fault.textContent = told(error);
      parts.fault.hidden = false;
      parts.fault.focus();
    }
  };

  parts.form.hidden = false;
  parts.form.addEventListener("submit", (event) => {
    event.preventDefault();
    open(new URLSearchParams(new FormData(parts.form)));
  });
  parts.hide.addEventListener("click", () => clear("Hidden. Until the time is over you can open it again."));
  // What was opened is not to come back with the browser's own memory of the page.
  window.addEventListener("pagehide", () => clear(""));
  if (page.dataset.running === "yes") {
    const token = parts.form.elements.namedItem("form_token").value;
    await open(new URLSearchParams({ form_token: token }));
  }
}

/** Return this browser's device of the authority; throws Missing. */
export async function ownDevice(authority) {
  const device = await heldKey(authority);
  if (device === null) throw new Missing("no-key");
  return device;
}

/** Return what the service hands over; throws Refusal with its words, or Missing. */
export async function ask(address, body, kid) {
  body.set("kid", kid);
  let answer;
  try {
    const headers = { Accept: "application/json" };
    answer = await fetch(address, { method: "POST", body, headers, credentials: "same-origin", redirect: "manual", cache: "no-store" });
  } catch {
    throw new Missing("not-reached");
  }
  if (answer.type === "opaqueredirect" || answer.status === 401) throw new Missing("signed-out");
  if (answer.status >= 500) throw new Missing("not-ready");
  const document = await answer.json().catch(() => null);
  if (answer.ok && document !== null) return document;
  throw new Refusal(document?.code, document?.title ? `${document.title}. ${document.fix}` : undefined);
}

/**
 * Return `{sheet, card, original}` of what was handed over for the notification that the page names; throws CannotOpen.
 *
 * The header is bound to the digest of the view, the view to the reference, the original to the card: nothing else can stand for either.
 */
export async function openHandOver(handed, place, device) {
  const gateway = await knownGateway(device, handed.gateway_key, place.gatewayPublic);
  const view = JSON.parse(handed.view);
  if (view.reference !== place.reference || view.authority !== place.authority) throw new CannotOpen("not-this-delivery");
  const view_digest = toHex(await sha256(utf8(handed.view)));
  const expected = { authority: place.authority, notification_id: place.notification, view_digest };
  const opened = await openEnvelope(handed.envelopes.card, { ...expected, kind: "card" }, device, gateway);
  const { card, original_digest } = JSON.parse(textOf(opened.plaintext));
  const sheet = document.createDocumentFragment();
  let original = null;
  if (handed.kind === "original") {
    original = (await openEnvelope(handed.envelopes.original, { ...expected, kind: "original" }, device, gateway)).plaintext;
    if (toHex(await sha256(original)) !== original_digest) throw new CannotOpen("changed-original");
    sheet.append(offered(original, place.reference));
  } else {
    if ("attachments" in card) sheet.append(warning(handed.words.not_scanned));
    sheet.append(shown(sectionsOf(card, handed.words)));
    if (handed.notes.length > 0) sheet.append(await notesOf(handed.notes, expected, device, gateway));
  }
  return { sheet, card, original };
}

function moment(at) {
  const form = { hour: "numeric", minute: "2-digit", hourCycle: "h12", timeZone: "Europe/London" };
  return new Date(at).toLocaleTimeString("en-GB", form).replace(/\s/, "").toLowerCase();
}

async function notesOf(notes, expected, device, gateway) {
  const whole = document.createDocumentFragment();
  whole.append(made("h2", "govuk-heading-s", "Your notes"));
  for (const note of notes) {
    const place = made("div", "govuk-inset-text");
    place.dataset.opened = note.note_id;
    place.append(made("p", "govuk-caption-m", day(note.written_at.slice(0, 10))));
    try {
      const here = { ...expected, kind: "note", view_digest: await noteDigest(note.note_id) };
      const text = textOf((await openEnvelope(note, here, device, gateway)).plaintext);
      for (const line of text.split("\n")) place.append(made("p", "govuk-body", line));
    } catch (error) {
      place.append(made("p", "govuk-body", told(error)));
    }
    whole.append(place);
  }
  return whole;
}

function offered(original, reference) {
  const link = made("a", "govuk-link", "Save the original message");
  link.href = URL.createObjectURL(new Blob([original], { type: "application/fhir+json" }));
  link.download = `${reference}.json`;
  link.dataset.original = "";
  const place = document.createDocumentFragment();
  place.append(made("p", "govuk-body", "The original was opened, and it is the message that the card belongs to."), link);
  return place;
}

function warning([title, text]) {
  const place = made("div", "govuk-inset-text");
  place.append(made("p", "govuk-body govuk-!-font-weight-bold", title), made("p", "govuk-body", text));
  return place;
}
