# SPDX-License-Identifier: MIT
"""What a browser seals and opens, in a real Chromium against RFC 9180's vectors, PyCA and the service's own envelopes, both ways."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import shake_128
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from playwright.sync_api import Browser, Error, Page

from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.privacy import wording
from notify_gateway.privacy.encoding import canonical_json, from_base64, to_base64
from notify_gateway.privacy.keys import RecipientPublicKey, RecipientPurpose, Suite, fingerprint
from notify_gateway.privacy.notes import read_note, seal_note
from notify_gateway.privacy.sealing import Why, open_envelope, parse_header, sign_header
from notify_gateway.privacy.sheet import sheet_of
from tests.audit.oracle import go_root
from tests.privacy.builders import CARD, MIDDLESBROUGH, NOTIFICATION, REFERENCE, STOCKTON, a_delivery, a_gateway_key, a_recipient
from tests.privacy.test_papers import ENCLOSED, opened
from tests.support.custody import call, chromium, scripts_alone

GATEWAY = a_gateway_key()
PLACE = {
    "authority": STOCKTON,
    "notification": str(NOTIFICATION),
    "reference": REFERENCE,
    "gatewayPublic": to_base64(GATEWAY.public().raw),
}
OPEN = """
  const device = await all.keys.heldKey(v.place.authority);
  try {
    const opened = await all.card.openHandOver(v.handed, v.place, device);
    return {card: opened.card, original: opened.original && all.encoding.textOf(opened.original)};
  } catch (error) { return {why: error.why ?? String(error)}; }
"""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with scripts_alone() as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened_browser:
        yield opened_browser


@pytest.fixture(scope="module")
def page(browser: Browser, site: str) -> Iterator[Page]:
    made = browser.new_page()
    said: list[str] = []
    made.on("console", lambda message: said.append(message.text))
    made.goto(site)
    yield made
    assert [text for text in said if "Content Security" in text or "Trusted" in text] == []


@pytest.fixture(scope="module")
def device(page: Page) -> RecipientPublicKey:
    """A key that the browser made, and knows the gateway with; return its public half."""
    body = """
      const held = await m.makeKey(v.authority);
      await m.keep({...held, gateway: v.gateway});
      return {kid: held.kid, public: held.public, fingerprint: await m.fingerprint(held)};
    """
    gateway = {"kid": GATEWAY.kid, "public": to_base64(GATEWAY.public().raw)}
    made = call(page, "keys", body, authority=STOCKTON, gateway=gateway)
    key = RecipientPublicKey(made["kid"], STOCKTON, Suite.X25519, from_base64(made["public"]), RecipientPurpose.WORKING)
    assert made["fingerprint"] == fingerprint(key)
    return key


def handed(*keys: RecipientPublicKey, kind: str = "card", **changes: Any) -> dict[str, Any]:
    """Return what the service hands over of a delivery that is sealed to the keys."""
    delivery = a_delivery(changes.pop("signer", GATEWAY), *keys, **changes)
    return {
        "kind": kind,
        "gateway_key": delivery["gateway_key"],
        "view": canonical_json(delivery["view"]).decode(),
        "envelopes": {name: delivery["envelopes"][name] for name in ("card", kind)},
        "notes": [],
        "words": {
            "headings": wording.HEADINGS,
            "labels": wording.LABELS,
            "not_scanned": wording.NOT_SCANNED,
            "its_own_agreement": wording.ITS_OWN_AGREEMENT,
        },
    }


def why(page: Page, what: dict[str, Any], **place: str) -> str:
    answer = call(page, "card", OPEN, handed=what, place=PLACE | place)
    assert "card" not in answer, "it opened"
    return str(answer["why"])


def test_hpke_seals_and_opens_as_the_vector_of_rfc_9180_says(page: Page) -> None:
    vectors = json.loads((go_root() / "src/crypto/hpke/testdata/rfc9180.json").read_text())
    (vector,) = (each for each in vectors if (each["mode"], each["kem_id"], each["kdf_id"], each["aead_id"]) == (0, 32, 1, 2))
    # As Go reads them: a stream of SHAKE128 gives lengths and bytes of a thousand messages, SHAKE128 of the ciphertexts is the vector's.
    stream, place, messages = shake_128(b"").digest(2**19), 0, []
    for _ in range(2000):
        length = stream[place]
        messages.append(stream[place + 1 : place + 1 + length].hex())
        place += 1 + length
    body = """
      const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
      const suite = new m.CipherSuite({kem: new m.DhkemX25519HkdfSha256(), kdf: new m.HkdfSha256(), aead: new m.Aes256Gcm()});
      const publicKey = await suite.kem.deserializePublicKey(bytes(v.pkRm));
      const head = bytes("302e020100300506032b656e04220420" + v.skRm);
      const privateKey = await crypto.subtle.importKey("pkcs8", head, {name: "X25519"}, false, ["deriveBits"]);
      const sender = await suite.createSenderContext({recipientPublicKey: publicKey, info: bytes(v.info), ekm: bytes(v.ikmE).buffer});
      const recipientKey = {publicKey, privateKey};
      const recipient = await suite.createRecipientContext({recipientKey, enc: sender.enc, info: bytes(v.info)});
      const sealed = [];
      for (let at = 0; at < v.messages.length; at += 2) {
        const [aad, text] = [bytes(v.messages[at]), bytes(v.messages[at + 1])];
        const made = await sender.seal(text, aad);
        sealed.push(all.encoding.toHex(new Uint8Array(made)));
        const opened = at < 20 ? new Uint8Array(await recipient.open(made, aad)) : text;
        if (all.encoding.toHex(opened) !== v.messages[at + 1]) throw new Error("not opened");
      }
      return {enc: all.encoding.toHex(new Uint8Array(sender.enc)), sealed: sealed.join("")};
    """
    made = call(page, "hpke", body, **{name: vector[name] for name in ("pkRm", "skRm", "info", "ikmE")}, messages=messages)
    assert made["enc"] == vector["enc"]
    assert shake_128(bytes.fromhex(made["sealed"])).hexdigest(16) == vector["encryptions_accumulated"]


def test_what_the_service_seals_opens_in_the_browser_alone_and_the_original_is_the_cards(page: Page, device: RecipientPublicKey) -> None:
    recovery = a_recipient(purpose=RecipientPurpose.RECOVERY, suite=Suite.MLKEM768_X25519)
    found = call(page, "card", OPEN, handed=handed(device, recovery.public()), place=PLACE)
    assert found == {"card": CARD, "original": None}
    found = call(page, "card", OPEN, handed=handed(device, recovery.public(), kind="original"), place=PLACE)
    assert json.loads(found["original"])["note"] == "He lines up his toy trains"


def test_each_tampering_is_refused_with_the_check_that_failed(page: Page, device: RecipientPublicKey) -> None:
    good = handed(device, a_recipient().public())
    other = handed(device, signer=a_gateway_key())

    def changed(name: str, at: int = 40, **more: Any) -> dict[str, Any]:
        card = dict(good["envelopes"]["card"])
        content = bytearray(from_base64(card[name]))
        content[at] ^= 1
        return good | {"envelopes": {"card": card | {name: to_base64(bytes(content))}}} | more

    header = parse_header(from_base64(good["envelopes"]["card"]["header"]))
    resigned = canonical_json({**json.loads(header.to_bytes()), "authority": MIDDLESBROUGH})
    moved = {"header": to_base64(resigned), "signature": to_base64(sign_header(resigned, GATEWAY))}
    spaced = header.to_bytes().replace(b",", b", ", 1)
    sloppy = {"header": to_base64(spaced), "signature": to_base64(sign_header(spaced, GATEWAY))}
    refused = {
        "bad-signature": [changed("header"), changed("signature")],
        "bad-header": [good | {"envelopes": {"card": good["envelopes"]["card"] | sloppy}}],
        "changed-content": [changed("sealed")],
        "changed-view": [good | {"view": good["view"].replace('"ASD"', '"SLD"')}],
        "unknown-gateway-key": [other, good | {"gateway_key": "gateway-000000000000"}],
        "not-for-this-key": [handed(a_recipient().public())],
        "not-a-delivery": [good | {"envelopes": {"card": good["envelopes"]["card"] | {"sealed": "?"}}}],
        "not-this-delivery": [
            good | {"envelopes": {"card": good["envelopes"]["card"] | moved}},
            good | {"envelopes": {"card": handed(device, kind="original")["envelopes"]["original"]}},
            good | {"view": good["view"].replace(REFERENCE, "SEN-00000000-0")},
        ],
    }
    for reason, cases in refused.items():
        assert [why(page, case) for case in cases] == [reason] * len(cases), reason
    # A key of the same id that is another one: what was wrapped to it does not come out.
    impostor = RecipientPublicKey(device.kid, STOCKTON, Suite.X25519, a_recipient().public().raw, RecipientPurpose.WORKING)
    assert why(page, handed(impostor)) == "cannot-unwrap"
    mixed = handed(device, kind="original") | {}
    mixed["envelopes"]["original"] = handed(device, kind="original", card=CARD)["envelopes"]["original"]
    assert call(page, "card", OPEN, handed=mixed, place=PLACE)["original"] is not None
    foreign = handed(device)["envelopes"]["card"]
    assert why(page, good | {"envelopes": {"card": foreign}}, notification=str(UUID(int=1))) == "not-this-delivery"


def test_every_check_that_fails_has_words_of_its_own(page: Page) -> None:
    codes = [each.value for each in Why if each is not Why.ERASED]
    said = call(page, "words", "return [...v.codes, 'no-such-code'].map((why) => m.told({why}))", codes=codes)
    assert len(set(said)) == len(codes) + 1
    assert all(text.endswith(".") for text in said)


def test_the_private_key_cannot_be_read_out_and_outlives_the_page(page: Page, device: RecipientPublicKey, site: str) -> None:
    page.goto(site)
    body = """
      const held = await m.heldKey(v.authority);
      const tried = [];
      for (const format of ["raw", "pkcs8", "jwk"]) {
        tried.push(await crypto.subtle.exportKey(format, held.pair.privateKey).then(() => "read out", (error) => error.name));
      }
      return {kid: held.kid, extractable: held.pair.privateKey.extractable, tried, json: JSON.stringify(held.pair.privateKey)};
    """
    found = call(page, "keys", body, authority=STOCKTON)
    assert (found["kid"], found["extractable"], found["json"]) == (device.kid, False, "{}")
    assert "read out" not in found["tried"]
    assert call(page, "keys", "return m.heldKey(v.authority)", authority=MIDDLESBROUGH) is None


def test_a_key_that_the_command_made_is_taken_over_and_stays_inside(page: Page, device: RecipientPublicKey) -> None:
    key = a_recipient(authority=MIDDLESBROUGH)
    body = """
      try {
        const held = await m.takeOver(v.authority, v.file);
        return {kid: held.kid, public: held.public, extractable: held.pair.privateKey.extractable, words: await m.fingerprint(held)};
      } catch (error) { return error.why; }
    """
    file = {"format": key.FORMAT, "version": 1, **key.document()}
    found = call(page, "keys", body, authority=MIDDLESBROUGH, file=json.dumps(file))
    assert found == {"kid": key.kid, "public": to_base64(key.public().raw), "extractable": False, "words": fingerprint(key.public())}
    recovery = a_recipient(authority=MIDDLESBROUGH, purpose=RecipientPurpose.RECOVERY)
    refused = {
        "of-another-authority": file | {"authority": STOCKTON},
        "under-a-passphrase": {"format": "notify-gateway/protected-key"},
        "not-a-working-key": {"format": key.FORMAT, "version": 1, **recovery.document()},
        "not-a-key": file | {"x25519": b64encode(b"short").decode()},
    }
    for reason, wrong in refused.items():
        assert call(page, "keys", body, authority=MIDDLESBROUGH, file=json.dumps(wrong)) == reason
    assert call(page, "keys", body, authority=MIDDLESBROUGH, file="{") == "not-a-key"


def test_a_note_sealed_in_the_browser_opens_with_every_key_here_and_there(page: Page, device: RecipientPublicKey) -> None:
    keys = [a_recipient(purpose=RecipientPurpose.RECOVERY, suite=suite) for suite in Suite]
    live = [device, *(key.public() for key in keys)]
    text = "Spoke with the mother; “Zeph” likes trains.\nCall again on Friday ☎"
    wrapping = [{"kid": key.kid, "public": to_base64(key.raw[-32:])} for key in live]
    place = {"authority": STOCKTON, "notification_id": str(NOTIFICATION), "keys": wrapping}
    document = call(page, "envelope", "return m.sealNote(v.text, v.place)", text=text, place=place)
    note_id = UUID(document["note_id"])
    where: dict[str, Any] = {"authority": STOCKTON, "notification_id": NOTIFICATION, "note_id": note_id}
    made = read_note(document, **where, live=[key.kid for key in live])
    signature = sign_header(made.header, GATEWAY)
    for key in keys:
        opened_here = open_envelope(made.header, signature, made.inner, private_key=key, gateway_public=GATEWAY.public())
        assert opened_here.decode() == text
    # And one that the service sealed, of an authority that moved to keys of its own since.
    own = seal_note(PrivateBytes(text.encode()), **where, recipients=live)
    body = """
      const device = await all.keys.heldKey(v.place.authority);
      const gateway = await m.verifyingKey(all.encoding.fromBase64(v.place.gatewayPublic));
      const {authority, notification: notification_id} = v.place;
      const expected = {authority, notification_id, kind: "note", view_digest: await m.noteDigest(v.id)};
      const opened = v.notes.map((note) => m.openEnvelope(note, expected, device, gateway));
      return (await Promise.all(opened)).map((each) => all.encoding.textOf(each.plaintext));
    """
    notes = [
        {"header": to_base64(each.header), "signature": to_base64(sign_header(each.header, GATEWAY)), "sealed": to_base64(each.inner)}
        for each in (made, own)
    ]
    assert call(page, "envelope", body, notes=notes, place=PLACE, id=str(note_id)) == [text, text]


def test_pyca_and_the_browser_speak_the_same_hpke(page: Page) -> None:
    private = X25519PrivateKey.generate()
    body = """
      const bytes = all.encoding.fromBase64;
      const sealed = await m.hpkeSeal(bytes(v.public), bytes(v.info), bytes(v.text));
      const pair = await crypto.subtle.generateKey({name: "X25519"}, false, ["deriveBits"]);
      const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
      window.pair = pair;
      return {sealed: all.encoding.toBase64(sealed), public: all.encoding.toBase64(raw)};
    """
    info, text = b"info\x00with a zero", bytes(range(256))
    public = to_base64(private.public_key().public_bytes_raw())
    made = call(page, "envelope", body, public=public, info=to_base64(info), text=to_base64(text))
    hpke = Suite.X25519.hpke
    assert hpke.decrypt(from_base64(made["sealed"]), private, info) == text
    theirs = RecipientPublicKey("working-1", STOCKTON, Suite.X25519, from_base64(made["public"]), RecipientPurpose.WORKING)
    sealed = hpke.encrypt(text, theirs.handle(), info)
    opening = (
        "return all.encoding.toBase64(await m.hpkeOpen(window.pair, all.encoding.fromBase64(v.info), all.encoding.fromBase64(v.sealed)));"
    )
    assert call(page, "envelope", opening, info=to_base64(info), sealed=to_base64(sealed)) == to_base64(text)
    with pytest.raises(Error):
        call(page, "envelope", opening, info=to_base64(b"another"), sealed=to_base64(sealed))


def test_the_card_reads_in_the_browser_as_on_paper(page: Page) -> None:
    card = {**CARD, **ENCLOSED, "agreed_support": ["A play group", {"name": "Portage", "since": "2025-11-01", "weekly": True}]}
    card["summary"] = [{"words": "First line\nsecond <b>line</b>\u202e\x07"}]
    words = {"headings": wording.HEADINGS, "labels": wording.LABELS, "its_own_agreement": wording.ITS_OWN_AGREEMENT}
    found = call(page, "sheet", "return m.sectionsOf(v.card, v.words)", card=card, words=words)
    ours = {"In the parent’s own words", "As the trust put it"}
    in_browser = [(each["heading"], each["groups"]) for each in found if each["heading"] not in ours]
    sheet = sheet_of(opened(card)).sections
    on_paper = [
        (each.heading, [[[label, list(texts)] for label, texts in group] for group in each.groups])
        for each in sheet
        if each.heading not in ("What the trust says", "What the parent was told")
    ]
    assert in_browser == on_paper
    lines = {label: list(texts) for each in sheet for group in each.groups for label, texts in group}
    own = {each["heading"]: each["groups"][0][0][1] for each in found if each["heading"] in ours}
    assert own == {"In the parent’s own words": lines["In their own words"], "As the trust put it": lines["As the trust put it"]}
    shown = call(page, "sheet", "document.body.replaceChildren(m.shown(m.sectionsOf(v.card, v.words)));", card=card, words=words)
    assert shown is None
    assert page.locator("b").count() == 0
    assert "second <b>line</b>" in page.locator("body").inner_text()


def test_canonical_json_is_the_same_in_both_languages(page: Page) -> None:
    values: list[Any] = [
        {"b": 1, "a": [True, False, None, -7], "": "", "é": "ü", "\U0001f600": "\ud83d", "￿": '\x7f\x00\x1f"\\/\n', "aa": {}},
        [],
        "☎ “quoted” \u2028",
        2**53 - 1,
    ]
    texts = call(
        page, "encoding", "return v.texts.map((text) => m.canonicalJson(JSON.parse(text)))", texts=[json.dumps(each) for each in values]
    )
    assert texts == [canonical_json(each).decode() for each in values]
