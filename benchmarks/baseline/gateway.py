# SPDX-License-Identifier: MIT
"""The baseline's front door: a typed parameter, insert, commit, ``delay``, 202."""

from __future__ import annotations

import os
import secrets
from uuid import uuid4

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fhir.resources.R4B.bundle import Bundle
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from benchmarks.baseline.store import Notification
from benchmarks.baseline.worker import deliver

sessions = sessionmaker(create_engine(os.environ["BASELINE_DATABASE"]))
authorization = f"Bearer {os.environ['BASELINE_TOKEN']}"
app = FastAPI()


def known_sender(request: Request) -> None:
    """Let nobody in without the token."""
    if not secrets.compare_digest(request.headers.get("authorization", ""), authorization):
        raise HTTPException(401)


@app.post("/fhir/R4/$process-message", status_code=202, response_class=Response, dependencies=[Depends(known_sender)])
def process_message(bundle: Bundle) -> Response:
    """Take a message."""
    notification = Notification(id=uuid4(), body=bundle.model_dump_json().encode())
    with sessions() as session:
        session.add(notification)
        session.commit()
        deliver.delay(str(notification.id))
        return Response(status_code=202, headers={"Location": f"/fhir/R4/Task/{notification.id}"})


@app.get("/_ping")
async def ping() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "pass"}
