# SPDX-License-Identifier: MIT
"""Sign in with a private key, send a notification, and follow its Task until the authority has it.

    pip install httpx2 joserfc
    python send.py https://gateway.example message.json --client-id ID --key trust.pem --kid KID

A message that was accepted before is answered 409 with NG-6001: that is a success, and nothing is sent twice.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

ALGORITHMS = {"RSA": "RS512", "EC": "ES384", "OKP": "EdDSA"}
DUPLICATE = "NG-6001"
LATER = (425, 429, 503)


def sign_in(gateway: httpx2.Client, client_id: str, key_file: Path, kid: str) -> str:
    """Return a bearer token: an assertion, good for one use, is exchanged for it."""
    key: Any = _read(key_file)
    address = gateway.get("/fhir/R4/.well-known/smart-configuration").raise_for_status().json()["token_endpoint"]
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": address, "jti": str(uuid.uuid4()), "iat": now, "exp": now + 240}
    algorithm = ALGORITHMS[key.key_type]
    assertion = jwt.encode({"alg": algorithm, "kid": kid}, claims, key, algorithms=[algorithm])
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    answer = gateway.post(address, data=form)
    if answer.status_code != 200:
        sys.exit(f"No token: {answer.json().get('error_description', answer.status_code)}")
    return str(answer.json()["access_token"])


def send(gateway: httpx2.Client, message: bytes) -> str:
    """Return the address of the notification's Task, once the gateway keeps it."""
    headers = {"Content-Type": "application/fhir+json", "X-Request-ID": str(uuid.uuid4()), "X-Correlation-ID": str(uuid.uuid4())}
    for _ in range(10):
        try:
            answer = gateway.post("/fhir/R4/$process-message", content=message, headers=headers)
        except httpx2.TransportError:
            time.sleep(1)  # whether it arrived is not known: the same request again is a duplicate or an acceptance, never both
            continue
        if answer.status_code not in LATER:
            break
        time.sleep(float(answer.headers.get("Retry-After", 1)))
    else:
        sys.exit("The gateway does not take it now. Send the same message again later.")
    if answer.status_code == 202 or DUPLICATE in answer.text:
        return str(answer.headers["Location"])
    for issue in answer.json()["issue"]:
        print(issue.get("expression", [""])[0], issue["diagnostics"], file=sys.stderr)
    sys.exit(1)


def follow(gateway: httpx2.Client, task: str, seconds: float) -> str:
    """Return the state of the notification, when the authority has it or the time is over."""
    until = time.monotonic() + seconds
    while True:
        found = gateway.get(task).raise_for_status().json()
        state = str(found["businessStatus"]["coding"][0]["code"])
        if found["status"] != "requested" or time.monotonic() > until:
            return state
        time.sleep(1)


def _read(file: Path) -> RSAKey | ECKey | OKPKey:
    content = file.read_text()
    if content.lstrip().startswith("{"):
        return import_key(json.loads(content))  # type: ignore[return-value]
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            return kind.import_key(content)
        except (ValueError, TypeError):
            continue
    sys.exit(f"{file} holds no private key")


def main() -> None:
    """Send the message that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gateway", help="address of the gateway")
    parser.add_argument("message", type=Path, help="file of the message")
    parser.add_argument("--client-id", required=True, help="the id that the service gave you")
    parser.add_argument("--key", type=Path, required=True, help="your private key, PEM or JWK")
    parser.add_argument("--kid", required=True, help="the name under which its public half is registered")
    parser.add_argument("--follow", type=float, default=0, metavar="SECONDS", help="how long to wait for the authority")
    given = parser.parse_args()
    with httpx2.Client(base_url=given.gateway, timeout=30) as gateway:
        gateway.headers["Authorization"] = f"Bearer {sign_in(gateway, given.client_id, given.key, given.kid)}"
        task = send(gateway, given.message.read_bytes())
        print(f"Accepted: {task}")
        print(f"It is {follow(gateway, task, given.follow)}")


if __name__ == "__main__":
    main()
