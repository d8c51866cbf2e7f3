// SPDX-License-Identifier: MIT
// What people are told when something cannot be done in the browser: the check that failed, and what to do.

const WHY = {
  "not-a-delivery": "What the service sent is not a sealed notification. Load the page again; if it stays so, tell the service.",
  "unknown-gateway-key":
    "What came is signed with a key that this device does not know. Nothing was opened. Ask the service, on a number that you knew before, whether its key has changed; a manager can then enrol this device again.",
  "bad-signature": "The signature is not the service’s: somebody may have changed what was sealed. Nothing was opened. Tell the service.",
  "bad-header": "What stands on the envelope cannot be read. Nothing was opened. Tell the service.",
  "not-this-delivery": "What came is sealed for another notification or another council. Nothing was opened. Tell the service.",
  "changed-view": "What the trust told and what is sealed do not belong together. Nothing was opened. Tell the service.",
  "changed-content": "What is sealed was changed on its way. Nothing was opened. Tell the service.",
  "not-for-this-key":
    "This was not sealed to the key of this device. Open it on a device that was enrolled when it came, or with the recovery key.",
  "cannot-unwrap": "The key of this device does not open this. Open it on another device, or with the recovery key.",
  "changed-original": "The message is not the one that the card belongs to. It was not saved. Tell the service.",
  "no-key": "This browser holds no key of your council. Ask a manager to enrol this device.",
  "no-way": "This browser cannot do what is needed (X25519 and Ed25519). Bring it up to date, or use notify-gateway authority open.",
  "signed-out": "You were signed out. Load the page again and sign in.",
  "not-ready": "The service is not ready for this at the moment, and nothing was handed over. Try again in a minute.",
  "not-reached": "The service does not answer. Check the connection and try again.",
  "not-a-key": "This file is not a key that notify-gateway authority key make has written.",
  "under-a-passphrase": "This key is under a passphrase, which a browser cannot take off. Make a key on this device instead.",
  "of-another-authority": "This key is another council’s.",
  "not-a-working-key": "Only a working key of the kind X25519 can be used in a browser; a recovery key stays offline.",
};

/** Return in words why something was not done. Errors that are not ours get one sentence that says nothing of them. */
export function told(error) {
  return error?.words ?? WHY[error?.why] ?? "Something went wrong in this browser, and nothing was opened. Load the page again.";
}

/** The service said no; `words` are its own, from its catalogue. */
export class Refusal extends Error {
  constructor(code, words) {
    super(code);
    this.name = "Refusal";
    this.code = code;
    this.words = words;
  }
}

/** Something that is missing here; `why` is a code of the table above. */
export class Missing extends Error {
  constructor(why) {
    super(why);
    this.name = "Missing";
    this.why = why;
  }
}
