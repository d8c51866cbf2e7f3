// SPDX-License-Identifier: MIT
// Sealed envelopes as the service makes them (privacy/sealing.py): a signed header, a content key wrapped by HPKE (RFC 9180, base mode) to
// every live key of the authority, the content under AES-256-GCM. The gateway's signature is verified before a byte of the header is read.

import { canonicalJson, fromBase64, joined, sha256, textOf, toBase64, toHex, utf8 } from "./encoding.js";
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "./hpke.js";

export const SUITE = "X25519";

const FORMAT = "notify-gateway/envelope";
const SIGNED = utf8("notify-gateway/envelope-header/v1\0");
const NOTE = "notify-gateway/note/v1\0";
const BUCKET = 1024;
const NONCE = 12;
const MOST_HEADER = 64 * 1024;
const ENCAPSULATED = 32;

/** The envelope does not open; `why` says which check failed, and nothing of what is inside. The codes are those of the service. */
export class CannotOpen extends Error {
  constructor(why) {
    super(why);
    this.name = "CannotOpen";
    this.why = why;
  }
}

function suite() {
  return new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
}

/** Return `plaintext` sealed by HPKE to a raw X25519 public key, as the encapsulated key and the ciphertext in one. */
export async function hpkeSeal(publicRaw, info, plaintext) {
  const kem = suite();
  const recipientPublicKey = await kem.kem.deserializePublicKey(publicRaw);
  const sender = await kem.createSenderContext({ recipientPublicKey, info });
  return joined(new Uint8Array(sender.enc), new Uint8Array(await sender.seal(plaintext)));
}

/** Return what `hpkeSeal` was given. `pair` is a CryptoKeyPair; its private half need not, and should not, be extractable. */
export async function hpkeOpen(pair, info, sealed) {
  const enc = sealed.slice(0, ENCAPSULATED);
  const recipient = await suite().createRecipientContext({ recipientKey: pair, enc, info });
  return new Uint8Array(await recipient.open(sealed.slice(ENCAPSULATED)));
}

/** Return the key of the gateway's signatures from its 32 bytes. */
export async function verifyingKey(raw) {
  return crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
}

/** Return the header if the gateway signed it; throws CannotOpen. */
export async function verifiedHeader(header, signature, gateway) {
  let held = false;
  try {
    held = await crypto.subtle.verify({ name: "Ed25519" }, gateway, signature, joined(SIGNED, header));
  } catch {
    held = false;
  }
  if (!held) throw new CannotOpen("bad-signature");
  return readHeader(header);
}

/**
 * Return the plaintext of `{header, signature, sealed}` (base64) and what its header says.
 *
 * `expected` names what the header must say: authority, notification_id, kind, view_digest. `device` is `{kid, pair}`. Checked in this order:
 * signature, header, place, digest of the content, recipient, content. Throws CannotOpen.
 */
export async function openEnvelope(envelope, expected, device, gateway) {
  let header, signature, inner;
  try {
    [header, signature, inner] = [envelope.header, envelope.signature, envelope.sealed].map(fromBase64);
  } catch {
    throw new CannotOpen("not-a-delivery");
  }
  const told = await verifiedHeader(header, signature, gateway);
  for (const name of ["kind", "authority", "notification_id"]) {
    if (told[name] !== expected[name]) throw new CannotOpen("not-this-delivery");
  }
  if (told.view_digest !== expected.view_digest) throw new CannotOpen("changed-view");
  if (toHex(await sha256(inner)) !== told.inner_digest) throw new CannotOpen("changed-content");
  const wrapped = told.keys.find((key) => key.kid === device.kid && key.suite === SUITE);
  if (wrapped === undefined) throw new CannotOpen("not-for-this-key");
  const bound = boundTo(told);
  let contentKey;
  try {
    contentKey = await hpkeOpen(device.pair, wrapInfo(bound, device.kid), fromBase64(wrapped.wrapped));
  } catch {
    throw new CannotOpen("cannot-unwrap");
  }
  return { told, plaintext: unpad(await decrypt(contentKey, inner, bound)) };
}

/** Return what the header of a note has where that of a card has the digest of the view. */
export async function noteDigest(noteId) {
  return toHex(await sha256(utf8(NOTE + noteId)));
}

/** Return `{note_id, header, sealed}`: the text sealed to every one of `keys`, `{kid, public}` each with the raw public key in base64. */
export async function sealNote(text, { authority, notification_id, keys }) {
  const noteId = crypto.randomUUID();
  const told = { authority, notification_id, kind: "note", view_digest: await noteDigest(noteId) };
  const bound = boundTo(told);
  const contentKey = crypto.getRandomValues(new Uint8Array(32));
  const inner = await encrypt(contentKey, pad(utf8(text)), bound);
  const wrapped = [];
  for (const key of keys) {
    const sealed = await hpkeSeal(fromBase64(key.public), wrapInfo(bound, key.kid), contentKey);
    wrapped.push({ kid: key.kid, suite: SUITE, wrapped: toBase64(sealed) });
  }
  contentKey.fill(0);
  const header = { format: FORMAT, version: 1, ...told, inner_digest: toHex(await sha256(inner)), keys: wrapped };
  return { note_id: noteId, header: toBase64(utf8(canonicalJson(header))), sealed: toBase64(inner) };
}

/** Return four bytes of length, the plaintext, and zeros up to whole buckets, so that lengths take few values. */
export function pad(plaintext) {
  const padded = new Uint8Array(Math.ceil((plaintext.length + 4) / BUCKET) * BUCKET);
  new DataView(padded.buffer).setUint32(0, plaintext.length);
  padded.set(plaintext, 4);
  return padded;
}

/** Return what `pad` was given; throws CannotOpen on bytes that it never writes. */
export function unpad(padded) {
  const length = padded.length < 4 ? -1 : new DataView(padded.buffer, padded.byteOffset).getUint32(0);
  const fits = length >= 0 && Math.ceil((length + 4) / BUCKET) * BUCKET === padded.length;
  if (!fits || padded.subarray(4 + length).some((byte) => byte !== 0)) throw new CannotOpen("changed-content");
  return padded.slice(4, 4 + length);
}

function readHeader(header) {
  try {
    const text = textOf(header);
    const told = JSON.parse(text);
    const known = header.length <= MOST_HEADER && told.format === FORMAT && told.version === 1 && Array.isArray(told.keys);
    if (known && canonicalJson(told) === text) return told;
  } catch {
    // Said below: what no gateway writes.
  }
  throw new CannotOpen("bad-header");
}

function boundTo(told) {
  return utf8([`${FORMAT}/v1`, told.authority, told.notification_id, told.kind, told.view_digest].join("\0"));
}

function wrapInfo(bound, kid) {
  return joined(bound, utf8(`\0${kid}`));
}

async function encrypt(key, plaintext, additionalData) {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE));
  const usable = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  return joined(iv, new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, usable, plaintext)));
}

async function decrypt(key, sealed, additionalData) {
  try {
    const usable = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
    const iv = sealed.slice(0, NONCE);
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, usable, sealed.slice(NONCE)));
  } catch {
    throw new CannotOpen("changed-content");
  }
}
