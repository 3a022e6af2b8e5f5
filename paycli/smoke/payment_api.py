"""Requests of the checks to the payment API: recorded, and patient where a fresh deployment needs it."""

import json
from collections.abc import Mapping
from typing import Any

from paycli.api_client import Answer, ApiClient
from paycli.errors import PaycliError
from paycli.smoke.ledger import Ledger
from paycli.smoke.patience import Patience
from paycli.smoke.result import CheckFailed, NotYet

_SHOWN = 160  # characters of a text that the API answered


class PaymentApi:
    """The deployed API as the checks see it."""

    def __init__(self, client: ApiClient, *, signed: bool, patience: Patience, ledger: Ledger) -> None:
        self._client = client
        self._signed = signed
        self._patience = patience
        self._ledger = ledger

    def ask(
        self,
        method: str,
        path: str,
        payload: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        signed: bool | None = None,
    ) -> Answer:
        """Send one request; `key` is its Idempotency-Key, `signed` overrules the environment.

        Raises NotYet where no answer came.
        """
        try:
            answer = self._client.call(
                method,
                path,
                body=None if payload is None else json.dumps(payload).encode(),
                headers={"Idempotency-Key": key} if key else {},
                signed=self._signed if signed is None else signed,
            )
        except PaycliError as error:
            if error.code != "unreachable":
                raise
            self._ledger.unanswered |= method == "POST"
            raise NotYet(f"an answer to {method} /{path}", error.message, error.hint) from error
        if method == "POST":
            self._ledger.note(path, answer.status, document(answer))
        return answer

    def expect(
        self,
        status: int,
        method: str,
        path: str,
        payload: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
    ) -> Answer:
        """Ask until the answer has this status; fail at once on one that time doesn't heal.

        Asking again is safe: /process does its work once, and /validate has its key.
        """

        def attempt() -> Answer:
            answer = self.ask(method, path, payload, key=key)
            if answer.status != status:
                raise unexpected(answer, f"{status} from {method} /{path}", signed=self._signed)
            return answer

        return self._patience.until(attempt)


def heals(status: int) -> bool:
    """Say whether a deployment that still propagates answers so.

    403: the stage, its policy or the caller's right isn't everywhere yet; 429 and 5xx: a limit, a role or
    a function isn't ready.
    """
    return status in {403, 429} or status >= 500


def unexpected(answer: Answer, expected: str, *, signed: bool) -> CheckFailed:
    """Return the failure that an answer means: NotYet where time may heal it."""
    hint = ""
    if answer.status == 403:
        hint = (
            "Does the caller have the right execute-api:Invoke on this API?"
            if signed
            else "The environment's authorization is none: does the deployed API know?"
        )
    return (NotYet if heals(answer.status) else CheckFailed)(expected, describe(answer), hint)


def document(answer: Answer) -> dict[str, Any]:
    """Return the JSON object in an answer; empty where there is none."""
    try:
        parsed = answer.json()
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def describe(answer: Answer) -> str:
    """Put an answer into words: its status, and what it says of the cause.

    Only first lines: after a bad signature the gateway goes on to quote the request, token and all.
    """
    said = document(answer)
    texts = {key: said.get(key) for key in ("status", "code", "detail", "message")}
    words = [
        str(answer.status),
        *(f"{key}: {_first_line(text)}" for key, text in texts.items() if isinstance(text, str)),
    ]
    if fields := error_fields(said):
        words.append(f"errors in: {', '.join(fields)[:_SHOWN]}")
    if not said:
        words.append(f"no JSON object in a body of {len(answer.body)} bytes")
    return "; ".join(words)


def _first_line(text: str) -> str:
    return "".join(text.strip().splitlines()[:1])[:_SHOWN]


def error_fields(said: Mapping[str, Any]) -> list[str]:
    """Return the fields that a problem document's `errors` name."""
    errors = said.get("errors")
    if not isinstance(errors, list):
        return []
    return [str(error.get("field")) for error in errors if isinstance(error, dict)]


def check_problem(answer: Answer) -> dict[str, Any]:
    """Return an error's document; CheckFailed where it isn't problem+json with a code (RFC 9457)."""
    said = document(answer)
    kind = answer.headers.get("content-type", "no content type")
    if not kind.startswith("application/problem+json"):
        raise CheckFailed("an error as application/problem+json", kind)
    if not isinstance(said.get("code"), str):
        raise CheckFailed("a problem document with a `code`", describe(answer))
    return said
