// SPDX-License-Identifier: MIT
// The page of devices: shows which key this browser holds, makes one or takes one over, and sends nothing but its public half.

import { fingerprint, forget, heldKey, keep, makeKey, takeOver } from "./keys.js";
import { Missing, told } from "./words.js";

const MOST_FILE = 64 * 1024;
const page = document.querySelector("[data-custody-device]");
if (page !== null) begin(page);

async function begin(page) {
  const { authority, gatewayKid, gatewayPublic } = page.dataset;
  const known = JSON.parse(page.dataset.devices);
  const find = (name) => page.querySelector(`[data-${name}]`);
  const say = (words) => {
    find("fault").textContent = words;
    find("fault").hidden = false;
  };
  try {
    await canDo();
    const held = await heldKey(authority);
    const standing = held === null ? "none" : (known[held.kid] ?? "unknown");
    for (const place of page.querySelectorAll("[data-when]")) place.hidden = !place.dataset.when.split(" ").includes(standing);
    if (held !== null) {
      find("kid").textContent = held.kid;
      find("fingerprint").textContent = await fingerprint(held);
      find("held").hidden = false;
      find("other-gateway").hidden = held.gateway.kid === gatewayKid && held.gateway.public === gatewayPublic;
    }
  } catch (error) {
    say(told(error));
    return;
  }

  const form = find("enrol");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    find("fault").hidden = true;
    try {
      const device = (await chosen(form, authority)) ?? (await reusable(authority, known)) ?? (await makeKey(authority));
      await keep({ ...device, gateway: { kid: gatewayKid, public: gatewayPublic } });
      form.elements.namedItem("public").value = device.public;
      HTMLFormElement.prototype.submit.call(form);
    } catch (error) {
      say(told(error));
    }
  });
  find("forget").addEventListener("click", async () => {
    await forget(authority);
    window.location.reload();
  });
  find("trust-again").addEventListener("click", async () => {
    const held = await heldKey(authority);
    await keep({ ...held, gateway: { kid: gatewayKid, public: gatewayPublic } });
    window.location.reload();
  });
}

async function chosen(form, authority) {
  const file = form.querySelector("input[type=file]").files[0];
  if (file === undefined) return null;
  if (file.size > MOST_FILE) throw new Missing("not-a-key");
  return takeOver(authority, await file.text());
}

/** Return the key that this browser made before, where the service never heard of it. */
async function reusable(authority, known) {
  const held = await heldKey(authority);
  return held !== null && !(held.kid in known) ? held : null;
}

async function canDo() {
  try {
    await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]);
    await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["verify", "sign"]);
  } catch {
    throw new Missing("no-way");
  }
}
