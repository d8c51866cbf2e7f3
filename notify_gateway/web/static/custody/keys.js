// SPDX-License-Identifier: MIT
// The device's key: made here or taken over from a file, kept by the browser in a form that no script can read out (WebCrypto, IndexedDB).

import { canonicalJson, fromBase64, inFours, sha256, toBase64, toCrockford, toHex, utf8 } from "./encoding.js";
import { CannotOpen } from "./envelope.js";

const DATABASE = "notify-gateway";
const STORE = "devices";
const ALGORITHM = { name: "X25519" };
const KEY_FILE = "notify-gateway/recipient-key";
const PROTECTED_FILE = "notify-gateway/protected-key";
const PUBLIC_FORMAT = "notify-gateway/recipient-public-key";
// RFC 8410: the fixed part of a PKCS #8 document that holds a raw X25519 private key.
const PKCS8 = Uint8Array.from([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20]);
const BASE_POINT = Uint8Array.from([9, ...new Array(31).fill(0)]);

/** A key file cannot be taken over; `why` says why. */
export class KeyFileUnusable extends Error {
  constructor(why) {
    super(why);
    this.name = "KeyFileUnusable";
    this.why = why;
  }
}

/** Return a fresh device key of the authority; its private half cannot be read out of the browser. */
export async function makeKey(authority) {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["deriveBits"]);
  return device(authority, pair);
}

/** Return the working key of a file that `notify-gateway authority key make` wrote, from now on not to be read out; throws KeyFileUnusable. */
export async function takeOver(authority, text) {
  let fields;
  try {
    fields = JSON.parse(text);
  } catch {
    throw new KeyFileUnusable("not-a-key");
  }
  if (fields?.format === PROTECTED_FILE) throw new KeyFileUnusable("under-a-passphrase");
  if (fields?.format !== KEY_FILE || fields.version !== 1) throw new KeyFileUnusable("not-a-key");
  if (fields.authority !== authority) throw new KeyFileUnusable("of-another-authority");
  if (fields.purpose !== "working" || fields.suite !== "X25519") throw new KeyFileUnusable("not-a-working-key");
  let privateKey, publicKey;
  try {
    const raw = fromBase64(fields.x25519);
    const document = Uint8Array.from([...PKCS8, ...raw]);
    privateKey = await crypto.subtle.importKey("pkcs8", document, ALGORITHM, false, ["deriveBits"]);
    raw.fill(0);
    document.fill(0);
    publicKey = await publicOf(privateKey);
  } catch {
    throw new KeyFileUnusable("not-a-key");
  }
  return device(authority, { privateKey, publicKey });
}

/** Return the fingerprint of a device's key as the service and the command reckon it: people compare the two. */
export async function fingerprint(held) {
  const document = {
    format: PUBLIC_FORMAT,
    authority: held.authority,
    kid: held.kid,
    public: held.public,
    purpose: "working",
    suite: "X25519",
  };
  return inFours(toCrockford((await sha256(utf8(canonicalJson(document)))).slice(0, 20)));
}

/** Keep the device's key in this browser, in place of any other of the authority. */
export async function keep(held) {
  await inStore("readwrite", (store) => store.put(held));
  // Without this the browser may clear what it keeps when its disk is full; whether it agrees is its own affair.
  await navigator.storage?.persist?.();
}

/** Return the device's key of the authority, or null where this browser has none. */
export async function heldKey(authority) {
  return (await inStore("readonly", (store) => store.get(authority))) ?? null;
}

/** Forget the device's key of the authority: it is in no other place. */
export async function forget(authority) {
  await inStore("readwrite", (store) => store.delete(authority));
}

/** Return the gateway's key to verify with, if it is the one that this device has known since it was enrolled; throws CannotOpen. */
export async function knownGateway(held, kid, raw) {
  if (held.gateway.kid !== kid || held.gateway.public !== raw) throw new CannotOpen("unknown-gateway-key");
  return crypto.subtle.importKey("raw", fromBase64(raw), { name: "Ed25519" }, false, ["verify"]);
}

async function device(authority, pair) {
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const kid = `working-${toHex(await sha256(raw)).slice(0, 12)}`;
  return { authority, kid, public: toBase64(raw), pair: { publicKey: pair.publicKey, privateKey: pair.privateKey }, gateway: null };
}

async function publicOf(privateKey) {
  // X25519 of the private key and the base point is the public key (RFC 7748 section 6.1); nothing else tells it of a key that stays inside.
  const point = await crypto.subtle.importKey("raw", BASE_POINT, ALGORITHM, true, []);
  const raw = await crypto.subtle.deriveBits({ name: "X25519", public: point }, privateKey, 256);
  return crypto.subtle.importKey("raw", raw, ALGORITHM, true, []);
}

function inStore(mode, act) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "authority" });
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(STORE, mode);
      const asked = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => {
        database.close();
        resolve(asked.result);
      };
      transaction.onerror = transaction.onabort = () => {
        database.close();
        reject(transaction.error);
      };
    };
  });
}
