// SPDX-License-Identifier: MIT
// The few encodings that the service and the browser must agree on to the last byte: base64, hexadecimal, canonical JSON, Crockford's base32.

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ENCODER = new TextEncoder();

/** Return the bytes of a text in UTF-8. */
export function utf8(text) {
  return ENCODER.encode(text);
}

/** Return the text of bytes in UTF-8; throws a TypeError on bytes that are none. */
export function textOf(bytes) {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** Return standard base64 with padding (RFC 4648 section 4). */
export function toBase64(bytes) {
  const parts = [];
  for (let start = 0; start < bytes.length; start += 0x8000) {
    parts.push(String.fromCharCode(...bytes.subarray(start, start + 0x8000)));
  }
  return btoa(parts.join(""));
}

/** Return the bytes of base64; throws a TypeError unless it is exactly what `toBase64` would have written. */
export function fromBase64(text) {
  if (typeof text !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new TypeError("not base64");
  let bytes;
  try {
    bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new TypeError("not base64");
  }
  if (toBase64(bytes) !== text) throw new TypeError("not base64");
  return bytes;
}

/** Return bytes as lower-case hexadecimal digits. */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return all parts as one. */
export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

/** Return the SHA-256 of bytes. */
export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** Return the one form that is signed and digested: sorted keys, no spaces, ASCII only, whole numbers only. */
export function canonicalJson(value) {
  if (value === null || typeof value === "boolean") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new TypeError("canonical JSON holds whole numbers only");
    return String(value);
  }
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object") throw new TypeError("not a JSON value");
  const names = Object.keys(value).sort(byCodePoint);
  return `{${names.map((name) => `${quoted(name)}:${canonicalJson(value[name])}`).join(",")}}`;
}

/** Return bytes (a multiple of five) in Crockford's base32 alphabet. */
export function toCrockford(bytes) {
  let bits = 0;
  let held = 0;
  let letters = "";
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      letters += CROCKFORD[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return letters;
}

/** Return letters in groups of four, as people read them aloud. */
export function inFours(letters) {
  return letters.replace(/(.{4})(?=.)/g, "$1 ");
}

function quoted(text) {
  // JSON.stringify leaves DEL and what is beyond ASCII as they are; the service escapes both.
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function byCodePoint(one, other) {
  const [left, right] = [Array.from(one), Array.from(other)];
  for (let place = 0; place < Math.min(left.length, right.length); place += 1) {
    const gap = left[place].codePointAt(0) - right[place].codePointAt(0);
    if (gap) return gap;
  }
  return left.length - right.length;
}
