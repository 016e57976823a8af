"""Python client of the API, for cashier software: `Client` blocks, `AsyncClient` awaits.

    with Client() as client:
        sale = client.debit(1234, "SALE-1")
        while sale.uncertain:
            print(sale.text("zh"))                 # put the same card back
            sale = client.ask_again(sale)
        print(sale.voucher("zh"))

Four things can happen to a request that moves money, and `money` is known in all but the last:

| what | means |
|---|---|
| an `Outcome` | `completed`; or `uncertain`: never charge again, put the same card back, `ask_again` |
| `ApiProblem` | refused; its `money` says what became of it, almost always `none` |
| `ServiceUnavailable` | nothing was sent |
| `OutcomeUnknown` | no answer in time: never charge again under another key; `find` or `ask_again` with its `request` |

Every request has a key, yours or a new one, which `write_down` gets before anything is sent; `KeyStore` keeps them in a
file. It is sent again under this key, and no other, when an answer is lost, is still being made, or asks to wait.
"""

from cardio.errors import ServiceUnavailable
from cardio.ledger.bill import Bill, BillDetails, FundShare
from cardiod.client.awaiting import AsyncClient
from cardiod.client.blocking import Client
from cardiod.client.commands import through_daemon
from cardiod.client.keys import KeyStore
from cardiod.client.problems import ApiProblem, OutcomeUnknown
from cardiod.client.requests import Request
from cardiod.client.results import Card, Event, Outcome, Reading, Settlement, Transaction

__all__ = [
    "ApiProblem",
    "AsyncClient",
    "Bill",
    "BillDetails",
    "Card",
    "Client",
    "Event",
    "FundShare",
    "KeyStore",
    "Outcome",
    "OutcomeUnknown",
    "Reading",
    "Request",
    "ServiceUnavailable",
    "Settlement",
    "Transaction",
    "through_daemon",
]
