"""Whatever is sent: never a 500, an exception, an echo, or card data in a log line, the queue or the table."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.handlers.payment_fakes import VALID, Api, Reply, event

ECHO = "zQ7echo"  # stands in hostile values, and nowhere else
PANS = ("4111111111111111", "5555555555554444", "378282246310005", "6011111111111117")
HOSTILE = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

surrogates = st.text(st.characters(), max_size=20)
text = st.one_of(surrogates, st.just(ECHO), st.sampled_from(PANS), st.text(max_size=600))
literals = st.one_of(
    st.sampled_from(
        [
            "NaN",
            "-Infinity",
            "1e99999999999999999999",
            "1e-99999999",
            "-0",
            "01",
            "1_0",
            "+1",
            "1.",
            ".5",
            "\uff11",
            "true",
            "null",
            "[[[",
            "{}",
            "1e5",
            "0.1",
        ]
    ),
    st.integers().map(str),
    st.floats().map(repr),
    st.decimals().map(str),
    st.integers(1, 5000).map(lambda n: "9" * n),
)
junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
names = (
    st.sampled_from([*VALID, "description", "reference", "payment_method", "metadata", "transaction_id", "cvv"]) | text
)
objects = st.builds(
    lambda valid, more: {**valid, **more}, st.sampled_from([VALID, {}]), st.dictionaries(names, junk, max_size=4)
)
# As a client writes them by hand: names twice, numbers that no encoder emits, any escape, any end.
written = st.builds(
    lambda pairs, end: "{" + ",".join(f"{json.dumps(name)}: {value}" for name, value in pairs) + end,
    st.lists(st.tuples(names, literals | junk.map(json.dumps)), max_size=6),
    st.sampled_from(["}", "", "}}", "},", "\u0000", "\ufeff"]),
)
bodies = st.one_of(
    objects.map(json.dumps),
    junk.map(json.dumps),
    written,
    st.text(max_size=300),
    st.builds(lambda unit, n: unit * n, st.sampled_from(["[", '{"a":', "9", " ", "é", '"']), st.integers(0, 9000)),
)
keys = st.none() | text | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=255)


def check(api: Api, reply: Reply) -> None:
    assert reply.status in (200, 400, 404, 405, 409, 413, 422)
    seen = json.dumps([reply.log, api.queue, api.items])
    if reply.status != 200:
        assert reply.headers["Content-Type"] == "application/problem+json"
        assert ECHO not in reply.text
        assert ECHO not in json.dumps(reply.log)
        assert api.items == []
    for pan in PANS:
        assert pan not in seen + reply.text


@HOSTILE
@given(bodies, keys)
def test_any_body_and_key(body: str, key: str | None) -> None:
    api = Api()
    check(api, api.validate(body, key=key))
    api = Api()
    check(api, api.send("processing", event("/process", body, key=key)))


@HOSTILE
@given(st.binary(max_size=300) | bodies.map(lambda body: body.encode("utf-8", "surrogatepass")), st.booleans())
def test_any_bytes(raw: bytes, whole: bool) -> None:
    encoded = base64.b64encode(raw).decode()
    api = Api()
    check(api, api.validate(encoded if whole else encoded[:-1], isBase64Encoded=True))


@HOSTILE
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "httpMethod": st.sampled_from(["POST", "POST", "POST", "GET"]) | junk,
            "resource": st.sampled_from(["/validate", "/process"]) | junk,
            "headers": st.dictionaries(st.sampled_from(["Idempotency-Key", "x-amzn-trace-id"]) | text, junk) | junk,
            "multiValueHeaders": st.dictionaries(text, st.lists(junk, max_size=3) | junk, max_size=3) | junk,
            "body": bodies | junk,
            "isBase64Encoded": junk,
            "requestContext": st.fixed_dictionaries({}, optional={"requestId": junk, "identity": junk}) | junk,
        },
    )
    | junk
)
def test_any_event(sent: Any) -> None:
    for name in ("validation", "processing"):
        api = Api()
        reply = api.send(name, sent, context=object())
        assert reply.status in (200, 400, 404, 405, 413, 422)


@HOSTILE
@given(
    st.sampled_from(PANS),
    st.sampled_from(["", " ", "-", "."]),
    st.integers(1, 6),
    text,
    st.sampled_from(["description", "metadata", "key"]),
)
def test_any_card_number_in_any_text(pan: str, separator: str, group: int, around: str, where: str) -> None:
    number = separator.join(pan[n : n + group] for n in range(0, len(pan), group))
    hidden = f"{ECHO}x{number}x{around[:100]}"
    api = Api()
    if where == "description":
        reply = api.validate({**VALID, "description": hidden})
    elif where == "metadata":
        reply = api.validate({**VALID, "metadata": {"note": hidden}})
    else:
        reply = api.validate(key=f"{ECHO}x{number}")
    assert reply.status == 400
    seen = json.dumps([reply.log, reply.text, api.queue, api.items])
    assert number not in seen
    assert ECHO not in seen
