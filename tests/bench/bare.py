"""The peer of the daemon: FastAPI and uvicorn with nothing behind them."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class DebitBody(BaseModel):
    """What the daemon is asked, too."""

    purse: str
    amount_fen: int
    reference: str
    reader: str
    wait_s: float


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """Whether the process lives."""
    return {"status": "ok"}


@app.post("/v1/debit", status_code=201)
async def debit(body: DebitBody) -> dict[str, int]:
    """Answers, and does nothing."""
    return {"amount_fen": body.amount_fen}
