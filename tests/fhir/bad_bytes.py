# SPDX-License-Identifier: MIT
"""Bodies that are no well-formed JSON, or none that may be read."""

from __future__ import annotations

from notify_gateway.domain.catalogue import Code
from tests.fhir.spoiling import CARER, CONDITION, INFORMED, PATIENT, VIEWS, Case, at, edited, in_text, nested, put, raw, wrong
from tests.support.messages import a_message

TRANSPORT = [
    Case("an empty body", raw(b""), Code.BODY_EMPTY, None),
    Case("white space alone", raw(b" \n\t "), Code.BODY_EMPTY, None),
    Case("not JSON", raw(b"<Bundle/>"), Code.NOT_JSON, None),
    Case("half a message", lambda: a_message().bytes()[:5000], Code.NOT_JSON, None),
    Case("something after the message", lambda: a_message().bytes() + b"{}", Code.NOT_JSON, None),
    Case("a trailing comma", in_text('"type":"message",', '"type":"message",,'), Code.NOT_JSON, None),
    Case("single quotes", raw(b"{'resourceType': 'Bundle'}"), Code.NOT_JSON, None),
    Case("a comment", lambda: b"// hello\n" + a_message().bytes(), Code.NOT_JSON, None),
    Case("Latin-1 bytes", lambda: a_message().for_child(given="Zoë").bytes().decode().encode("latin-1"), Code.NOT_UTF8, None),
    Case("UTF-16", lambda: a_message().bytes().decode().encode("utf-16"), Code.NOT_UTF8, None),
    Case("a byte order mark", lambda: b"\xef\xbb\xbf" + a_message().bytes(), Code.NOT_UTF8, None),
    Case("an overlong UTF-8 form", lambda: a_message().bytes().replace(b"/", b"\xc0\xaf", 1), Code.NOT_UTF8, None),
    Case("a list", raw(b"[]"), Code.NOT_A_BUNDLE, None),
    Case("a string", raw(b'"Bundle"'), Code.NOT_A_BUNDLE, None),
    Case("null", raw(b"null"), Code.NOT_A_BUNDLE, None),
    Case("a number", raw(b"1"), Code.NOT_A_BUNDLE, None),
    Case("a control character in a string literally", in_text('"message"', '"mess\x00age"'), Code.NOT_JSON, None),
    Case("a body over the limit", lambda: a_message().bytes() + b" " * (5 * 1024 * 1024), Code.BODY_TOO_LARGE, None),
    Case("a message over the limit", lambda: a_message().bytes() + b" " * 300_000, Code.MESSAGE_TOO_LARGE, None),
    Case(
        "a message over the limit that has attachments",
        lambda: a_message().attached().bytes() + b" " * 300_000,
        Code.MESSAGE_TOO_LARGE,
        None,
    ),
    Case("a hundred thousand empty lists", lambda: b'{"data":[' + b"[]," * 100_000 + b"[]]}", Code.MESSAGE_TOO_LARGE, None),
    Case("five megabytes of data that is nowhere", raw(b'{"data":"' + b"QUJD" * 1_300_000 + b'"}'), Code.MESSAGE_TOO_LARGE, None),
    Case("half a million names of data", raw(b'"data":' * 700_000), Code.MESSAGE_TOO_LARGE, None),
    Case("data that never ends", raw(b'{"data":"' + b"QUJD" * 1_300_000), Code.MESSAGE_TOO_LARGE, None),
    Case("brackets 100,000 deep", raw(b"[" * 100_000), Code.TOO_DEEP, None),
    Case("objects 20,000 deep", raw(b'{"a":' * 20_000 + b"1" + b"}" * 20_000), Code.TOO_DEEP, None),
    Case("extensions 40 deep", edited(put(f"{PATIENT}.extension", [nested(40)])), Code.TOO_DEEP, None),
    Case("extensions 120 deep", edited(put(f"{PATIENT}.extension", [nested(120)])), Code.TOO_DEEP, None),
    Case("20,000 names", edited(put(f"{PATIENT}.name", [{"family": "A"}] * 12_000)), Code.TOO_MANY_NODES, None),
    Case("a list of 90,000 numbers", edited(put("entry[2].x", [1] * 90_000)), Code.TOO_MANY_NODES, None),
    Case("a key twice", in_text('"type":"message"', '"type":"message","type":"message"'), Code.DUPLICATE_KEY, "Bundle"),
    Case(
        "a birth date twice",
        in_text('"gender":', '"birthDate":"2021-01-01","gender":'),
        Code.DUPLICATE_KEY,
        at(PATIENT),
    ),
    Case("NaN", in_text('"preferred":true', '"preferred":NaN'), Code.NUMBER_NOT_ALLOWED, at(f"{PATIENT}.communication[0].preferred")),
    Case(
        "Infinity",
        in_text('"preferred":true', '"preferred":-Infinity'),
        Code.NUMBER_NOT_ALLOWED,
        at(f"{PATIENT}.communication[0].preferred"),
    ),
    Case("1e999", in_text('"preferred":true', '"preferred":1e999'), Code.NUMBER_NOT_ALLOWED, at(f"{PATIENT}.communication[0].preferred")),
    Case(
        "an integer of 5,000 digits",
        in_text('"preferred":true', f'"preferred":{"9" * 5000}'),
        Code.NUMBER_NOT_ALLOWED,
        at(f"{PATIENT}.communication[0].preferred"),
    ),
    Case("NUL in a name", edited(put(f"{PATIENT}.name[0].family", "A\x00B")), Code.CHARACTER_NOT_ALLOWED, at(f"{PATIENT}.name[0].family")),
    Case(
        "an escape character",
        edited(put(f"{VIEWS}.payload[0].contentString", "\x1b[2J")),
        Code.CHARACTER_NOT_ALLOWED,
        at(f"{VIEWS}.payload[0].contentString"),
    ),
    Case("a C1 control", edited(put(f"{PATIENT}.name[0].family", "A\x85B")), Code.CHARACTER_NOT_ALLOWED, at(f"{PATIENT}.name[0].family")),
    Case(
        "half a surrogate", in_text('"mother"', '"\\ud800"'), Code.CHARACTER_NOT_ALLOWED, at(f"{CARER}.relationship[0].coding[0].display")
    ),
    Case("NUL in a key", edited(lambda d: d["entry"][2]["resource"].update({"a\x00": 1})), Code.ELEMENT_UNKNOWN, at(PATIENT)),
    wrong("an empty string", Code.EMPTY_VALUE, f"{PATIENT}.name[0].family", ""),
    wrong("a blank string", Code.EMPTY_VALUE, f"{PATIENT}.name[0].family", " \t "),
    wrong("an empty object", Code.EMPTY_VALUE, f"{INFORMED}.subject", {}),
    wrong("an empty list", Code.EMPTY_VALUE, f"{PATIENT}.name", []),
    wrong("a list of empty objects", Code.EMPTY_VALUE, f"{PATIENT}.name", [{}] * 3, where=f"{PATIENT}.name[1]"),
    wrong("null for a date", Code.EMPTY_VALUE, f"{PATIENT}.birthDate", None),
    wrong("null for an object", Code.EMPTY_VALUE, f"{CONDITION}.code", None),
    wrong("null for a list", Code.EMPTY_VALUE, f"{PATIENT}.name", None),
    wrong("null in a list of objects", Code.EMPTY_VALUE, f"{PATIENT}.name", [None], where=f"{PATIENT}.name[0]"),
    wrong("no entries", Code.EMPTY_VALUE, "entry", []),
]
