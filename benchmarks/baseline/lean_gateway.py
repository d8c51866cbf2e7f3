# SPDX-License-Identifier: MIT
"""The lean baseline's front door: check the bytes, insert them as they came, commit, ``delay``, 202."""

from __future__ import annotations

import os
import secrets
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fhir.resources.R4B.bundle import Bundle
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from benchmarks.baseline.store import Notification
from benchmarks.baseline.worker import deliver

sessions = async_sessionmaker(create_async_engine(os.environ["BASELINE_DATABASE"]), expire_on_commit=False)
authorization = f"Bearer {os.environ['BASELINE_TOKEN']}"
app = FastAPI()


def known_sender(request: Request) -> None:
    """Let nobody in without the token."""
    if not secrets.compare_digest(request.headers.get("authorization", ""), authorization):
        raise HTTPException(401)


@app.post("/fhir/R4/$process-message", status_code=202, response_class=Response)
async def process_message(request: Request, _: Annotated[None, Depends(known_sender)]) -> Response:
    """Take a message."""
    body = await request.body()
    try:
        Bundle.model_validate_json(body)
    except ValidationError as error:
        raise HTTPException(400) from error
    notification = Notification(id=uuid4(), body=body)
    async with sessions() as session:
        session.add(notification)
        await session.commit()
    deliver.delay(str(notification.id))
    return Response(status_code=202, headers={"Location": f"/fhir/R4/Task/{notification.id}"})


@app.get("/_ping")
async def ping() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "pass"}
