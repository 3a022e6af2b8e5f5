"""The contract by itself: every field and limit, and the traps that broke naive parsers."""

from __future__ import annotations

import importlib.util
import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.payments import contract
from handlers.payments.contract import CURRENCIES, REQUEST_MODELS, Payment, RefusedError
from tests.unit.handlers.payment_fakes import CARD, VALID


def refusal(body: bytes | str | dict[str, Any]) -> RefusedError:
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    with pytest.raises(RefusedError) as caught:
        contract.payment(raw)
    return caught.value


def status(error: RefusedError) -> int:
    return contract.PROBLEMS[error.code][0]


def fields(body: bytes | str | dict[str, Any]) -> set[str]:
    return {error["field"] for error in refusal(body).errors}


def accepted(**changes: Any) -> Payment:
    return contract.payment(json.dumps({**VALID, **changes}).encode())


def literal(amount: str, currency: str = "USD") -> bytes:
    """A body whose amount is these very characters."""
    return f'{{"amount": {amount}, "currency": "{currency}", "customer_id": "c"}}'.encode()


@pytest.mark.parametrize(
    ("amount", "currency", "minor_units", "text"),
    [
        ("10.50", "USD", 1050, "10.50"),
        ("10.5", "USD", 1050, "10.50"),
        ('"10.50"', "USD", 1050, "10.50"),
        ('"007.5"', "USD", 750, "7.50"),
        ("1e2", "USD", 10000, "100.00"),
        ("1.5E+1", "USD", 1500, "15.00"),
        ("1050e-2", "USD", 1050, "10.50"),
        ("1e-02", "USD", 1, "0.01"),
        ("1e0", "JPY", 1, "1"),
        ("1e10", "JPY", 10_000_000_000, "10000000000"),
        ("0.10000000000000000000", "USD", 10, "0.10"),
        ("10.00", "JPY", 10, "10"),
        ('"10.00"', "JPY", 10, "10"),
        ("1.001", "KWD", 1001, "1.001"),
        ("1.0001", "CLF", 10001, "1.0001"),
        ("999999999.99", "USD", 99_999_999_999, "999999999.99"),
        ("99999999999", "JPY", 99_999_999_999, "99999999999"),
        ("0.01", "USD", 1, "0.01"),
        (f"1{'0' * 4000}e-4000", "USD", 100, "1.00"),
        (f"0.{'0' * 3999}1e4000", "USD", 100, "1.00"),
    ],
)
def test_an_amount_is_exact_by_value(amount: str, currency: str, minor_units: int, text: str) -> None:
    payment = contract.payment(literal(amount, currency))
    assert (payment.amount_minor, payment.request()["amount"]) == (minor_units, text)


@pytest.mark.parametrize("amount", ["0.1", "0.2", "0.3", "1.15", "2.675", "1234567.89", "999999999.99"])
def test_no_float_rounds_an_amount(amount: str) -> None:
    assert contract.payment(literal(amount, "KWD" if amount == "2.675" else "USD")).amount_minor == int(
        Decimal(amount).scaleb(3 if amount == "2.675" else 2)
    )


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("10.001", "USD"), ("0.001", "USD"), ("10.5", "JPY"), ("1e-3", "USD"), ("1.0001", "KWD"), ("1.00001", "CLF")],
)
def test_more_decimals_than_the_currency_has_are_refused_not_rounded(amount: str, currency: str) -> None:
    error = refusal(literal(amount, currency))
    assert (status(error), error.errors[0]["field"]) == (400, "amount")
    assert "decimals" in error.errors[0]["message"]


@pytest.mark.parametrize(
    "amount", ["0", "-0", "0.00", "-1", "-0.01", "0e5", "0e99999999999999999999", '"0"', '"0.00"', "-1e400"]
)
def test_an_amount_is_greater_than_zero(amount: str) -> None:
    assert "greater than 0" in refusal(literal(amount)).errors[0]["message"]


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("1000000000.00", "USD"), ("100000000000", "JPY"), ('"1000000000"', "USD"), ("100000000", "KWD"), ("1e9", "USD")],
)
def test_an_amount_has_a_limit_in_minor_units(amount: str, currency: str) -> None:
    assert "99,999,999,999" in refusal(literal(amount, currency)).errors[0]["message"]


@pytest.mark.parametrize(
    "amount",
    [
        "1e99999999999999999999",
        "1e99999999",
        "1e-99999999",
        "-1e99999999",
        f"0.{'0' * 998}1e10000",
        f"1e{'9' * 7000}",
        f"1e-{'9' * 7000}",
    ],
)
def test_trap_a_huge_exponent_costs_nothing(amount: str) -> None:
    started = time.perf_counter()
    assert fields(literal(amount)) == {"amount"}
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize("amount", ["9" * 5000, f"1.{'9' * 5000}", f'"{"9" * 5000}"'])
def test_trap_thousands_of_digits(amount: str) -> None:
    assert fields(literal(amount)) == {"amount"}


@pytest.mark.parametrize(
    "text",
    [
        "\uff11\uff10.\uff15\uff10",
        "1_0",
        "+1",
        " 1",
        "1 ",
        "1.",
        ".5",
        "1e2",
        "-1",
        "",
        "1,5",
        "0x10",
        "NaN",
        "Infinity",
        "\u0661\u0660",
        "1\n",
    ],
)
def test_trap_a_string_is_plain_decimal_only(text: str) -> None:
    assert "plain decimal" in refusal({**VALID, "amount": text}).errors[0]["message"]


@pytest.mark.parametrize("value", [True, False, None, [], {}, ["1"], {"value": 1}])
def test_an_amount_of_another_type_is_refused(value: Any) -> None:
    assert fields({**VALID, "amount": value}) == {"amount"}


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_trap_nan_and_infinity_are_no_json(constant: str) -> None:
    assert fields(literal(constant)) == {"body"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"amount": "1", "amount": "2", "currency": "USD", "customer_id": "c"}',
        b'{"amount": "1", "currency": "USD", "customer_id": "c", "metadata": {"a": "1", "a": "2"}}',
        b'{"amount": "1", "currency": "USD", "customer_id": "c", "\\u0061mount": "2"}',
    ],
)
def test_trap_duplicate_keys_are_refused_at_any_depth(body: bytes) -> None:
    assert fields(body) == {"body"}


@pytest.mark.parametrize("body", [b"[" * 8000, b'{"a":' * 1600, b'{"metadata":' + b"[" * 4000 + b"]" * 4000 + b"}"])
def test_trap_deep_nesting(body: bytes) -> None:
    assert status(refusal(body)) == 400


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"1", b'"text"', b"{}x", b"{'a': 1}", b"\xef\xbb\xbf{}", b"\xff\xfe", b'{"amount": 01}'],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    assert (refusal(body).code, fields(body)) == ("invalid_request", {"body"})


def test_an_empty_object_lacks_all_that_is_required() -> None:
    assert fields(b"{}") == {"amount", "currency", "customer_id"}


def test_all_errors_are_told_at_once_and_what_was_valid_is_kept() -> None:
    error = refusal({"amount": "1.234", "currency": "USD", "customer_id": "a b", "reference": "r", "surplus": 1})
    assert {each["field"] for each in error.errors} == {"amount", "customer_id", "body"}
    assert error.accepted == {"currency": "USD", "reference": "r"}


def test_a_valid_amount_is_kept_only_with_its_currency() -> None:
    assert refusal({**VALID, "customer_id": ""}).accepted == {"currency": "USD", "amount": "10.50"}
    assert refusal({**VALID, "currency": "usd"}).accepted == {"customer_id": "c-1"}


def test_the_body_has_a_limit_in_bytes() -> None:
    padding = b" " * (contract.MAX_BODY_BYTES - len(json.dumps(VALID)))
    assert contract.payment(json.dumps(VALID).encode() + padding).currency == "USD"
    error = refusal(json.dumps(VALID).encode() + padding + b" ")
    assert (status(error), error.code) == (413, "body_too_large")


def test_currencies_are_the_dated_list_of_iso_4217() -> None:
    """Counts of list one as published on the date that the list states; a new list changes both."""
    assert contract.CURRENCIES_AS_OF == "2026-01-01"
    by_decimals = {n: sorted(code for code, each in CURRENCIES.items() if each == n) for n in set(CURRENCIES.values())}
    assert {n: len(codes) for n, codes in by_decimals.items()} == {0: 17, 2: 139, 3: 7, 4: 2}
    assert by_decimals[0] == (
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ]
    )
    assert by_decimals[3] == ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]
    assert {"USD", "EUR", "SLE", "VED", "XCG", "ZWG"} <= CURRENCIES.keys()
    assert not {"BGN", "HRK", "ANG", "SLL", "ZWL", "CUC", "XXX", "XTS", "XAU"} & CURRENCIES.keys()
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)


@pytest.mark.parametrize(
    "value", ["usd", "Usd", "XXX", "BGN", "", " USD", "USD ", "\uff35\uff33\uff24", "US", 840, None, ["USD"], {}]
)
def test_a_currency_is_an_active_code_in_upper_case(value: Any) -> None:
    assert fields({**VALID, "currency": value}) == {"currency"}


@pytest.mark.parametrize("value", ["", "a" * 65, "a b", "ä", "a/b", "a\n", "a\u0000", 1, None, True, [], {}])
def test_a_customer_id_of_another_form_is_refused(value: Any) -> None:
    assert fields({**VALID, "customer_id": value}) == {"customer_id"}


@pytest.mark.parametrize("value", ["a", "A.b_c:d@e-f", "0" * 64])
def test_a_customer_id(value: str) -> None:
    assert accepted(customer_id=value).customer_id == value


@pytest.mark.parametrize(("name", "limit"), [("description", 500), ("reference", 64), ("payment_method", 64)])
def test_texts_have_limits_in_characters(name: str, limit: int) -> None:
    for good in ("", "x" * limit, "é" * limit, "😀" * limit, "a\nb\u0000"):
        assert accepted(**{name: good}).details == {name: good}
    refused: tuple[Any, ...] = ("x" * (limit + 1), 1, None, True, [], {}, "\ud800", "a\udfff")
    for bad in refused:
        assert fields({**VALID, name: bad}) == {name}


def test_metadata_has_limits() -> None:
    good = {f"{n:040}": "v" * 256 for n in range(10)}
    assert accepted(metadata=good).details == {"metadata": good}
    assert accepted(metadata={}).details == {"metadata": {}}
    refused: tuple[Any, ...] = (
        {str(n): "" for n in range(11)},
        {"k" * 41: ""},
        {"": "v"},
        {"k": "v" * 257},
        {"k": 1},
        {"k": None},
        {"k": {"deep": "v"}},
        {"k": "\udc00"},
        {"\udc00": "v"},
        [],
        "text",
        None,
    )
    for bad in refused:
        assert fields({**VALID, "metadata": bad}) == {"metadata"}


@pytest.mark.parametrize("name", ["surplus", "Amount", "amount ", "", "transaction_id", "__class__"])
def test_unknown_fields_are_refused_and_not_repeated(name: str) -> None:
    error = refusal({**VALID, name: "x"})
    assert [each["field"] for each in error.errors] == ["body"]
    assert error.code == "invalid_request"


CARDS = {
    "Visa 16": "4111111111111111",
    "Visa 19": "4000000000000000006",
    "Mastercard": "5555555555554444",
    "Mastercard 2": "2223003122003222",
    "American Express": "378282246310005",
    "Diners Club": "30569309025904",
    "Discover": "6011111111111117",
    "JCB": "3530111333300000",
    "UnionPay": "6200000000000005",
    "Maestro": "6759649826438453",
    "Mir": "2200000000000004",
}


@pytest.mark.parametrize("number", CARDS.values(), ids=CARDS)
@pytest.mark.parametrize("form", ["{}", "paid with {}.", "x{}x", "12 {} 34"])
def test_card_numbers_are_recognised(number: str, form: str) -> None:
    assert contract.has_card_number(form.format(number))


@pytest.mark.parametrize(
    "text",
    [
        CARD,
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4111/1111_1111*1111",
        "4111\u200b1111\u200b1111\u200b1111",
        "4111|1111:1111+1111",
        "4111~1111\u20601111\xad1111",
        "q4111111111111111abcdefabcdefabcd",  # a digest stands alone
        "4111 - 1111 - 1111 - 1111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "3782 822463 10005",
        "4111\u00a01111\u20131111\u22121111",
        "\uff14\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11",
        "\u0664\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661",
        "4111111111111111=2512",
        "4111111111111111 12/27 123",
    ],
)
def test_card_numbers_are_recognised_in_groups_and_scripts(text: str) -> None:
    assert contract.has_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # not Luhn
        "4222222222222",  # Visa of 13 digits are no longer issued; every tenth EAN of some countries would be one
        "4006575064962",  # an EAN-13
        "+49 1511 5941713",
        "9999999999999995",  # Luhn, but no network's prefix
        "411111111111116",  # Luhn and prefix, but not a length of Visa
        "41111111111111111111",  # more digits than a card has
        "1234567890",
        "4 1 1 1 " * 60,
        "2026-11-22 20:26:30.123",
        "+49 170 1234567, +49 170 7654321",
        "41111111-1111-4115-8123-aaaaaaaaaaaa",
        "d2f81a60-4716-4466-8123-123456789010",
        "41111111 d2f81a60-4716-4466-8123-abcdefabcdef 11111111",  # what is left out parts its neighbours
        "0123456789abcdef4111111111111111",
        "sha256:" + "4111111111111111" * 3 + "abcdefabcdefabcd",
        "txn_00000000000000004111111111111111",
        "",
        "no digits",
    ],
)
def test_other_digits_are_no_card(text: str) -> None:
    assert not contract.has_card_number(text)


def test_few_order_numbers_are_mistaken_for_cards() -> None:
    """Luhn alone would refuse every tenth."""
    mistaken = sum(
        contract.has_card_number(f"{n:016}") for n in range(1_000_000_000_000, 9_000_000_000_000_000, 10**12 + 7)
    )
    assert mistaken < 9000 * 0.04


@pytest.mark.parametrize(
    "changes",
    [
        {"description": f"card {CARD}"},
        {"reference": CARD},
        {"payment_method": "4111111111111111"},
        {"customer_id": "4111-1111-1111-1111"},
        {"metadata": {"note": CARD}},
        {"metadata": {"4111111111111111": "note"}},
        {"description": CARD + "x" * 600},
        {"metadata": {"cvv": "1"}},
        {"card_number": "x"},
        {"payment_method": {"card": {"number": 1}}},
    ],
)
def test_card_data_is_refused_wherever_it_stands(changes: dict[str, Any]) -> None:
    error = refusal({**VALID, **changes})
    assert (status(error), error.code) == (400, "card_data_refused")
    assert "4111" not in json.dumps([error.errors, error.accepted])


@pytest.mark.parametrize(
    "name",
    [
        "card",
        "cards",
        "Card",
        "card_number",
        "cardNumber",
        "CARD-NUMBER",
        "card.no",
        "cardnum",
        "pan",
        "PAN",
        "cvv",
        "CVV2",
        "cvc",
        "cvc2",
        "csc",
        "card_cvc",
        "cardCvv",
        "credit_card",
        "debitCard",
        "payment_card_number",
        "creditCardNumber",
        "card_holder",
        "card_expiry",
        "exp_card_cvv",
        "security_code",
        "cardSecurityCode",
        "cav2",
        "track1",
        "track2_data",
        "pin",
        "\uff43\uff56\uff56",
        "primary_account_number",
        "ccnumber",
        "customer_cvv",
    ],
)
def test_fields_for_card_data_are_refused(name: str) -> None:
    assert refusal({**VALID, "metadata": {name: "x"}}).code == "card_data_refused"
    assert refusal({**VALID, name: {"deep": 1}}).code == "card_data_refused"


@pytest.mark.parametrize(
    "name",
    [
        "card_token",
        "card_brand",
        "postcard",
        "discard",
        "scorecard",
        "company",
        "panel",
        "expansion",
        "shipping",
        "opinion",
        "country_code",
        "loyalty_card_token",
        "cid",
        "order",
        "pancake",
    ],
)
def test_fields_that_only_sound_like_it_are_accepted(name: str) -> None:
    assert accepted(metadata={name: "x"}).details == {"metadata": {name: "x"}}


def test_a_transaction_id() -> None:
    value = "txn_0123456789abcdef0123456789abcdef"
    assert contract.transaction_id(json.dumps({"transaction_id": value}).encode()) == value


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"transaction_id": ""}, "invalid_request"),
        ({"transaction_id": "a" * 65}, "invalid_request"),
        ({"transaction_id": "a b"}, "invalid_request"),
        ({"transaction_id": "é"}, "invalid_request"),
        ({"transaction_id": 1}, "invalid_request"),
        ({"transaction_id": None}, "invalid_request"),
        ({"transaction_id": ["x"]}, "invalid_request"),
        ({"transaction_id": "x", "amount": 1}, "invalid_request"),
        ({"transaction_id": "x", "cvv": "123"}, "card_data_refused"),
        ({"transaction_id": "unknown"}, "payment_not_found"),
        ({"transaction_id": "4111111111111111"}, "payment_not_found"),
        ({"transaction_id": "0b0a4988-8766-4433-8211-000000000000"}, "payment_not_found"),
        ({"transaction_id": "txn_" + "A" * 32}, "payment_not_found"),
    ],
)
def test_what_is_no_transaction_id_of_ours(body: Any, code: str) -> None:
    with pytest.raises(RefusedError) as caught:
        contract.transaction_id(json.dumps(body).encode())
    assert caught.value.code == code


@pytest.mark.parametrize("values", [["k"], ["!"], ["~" * 255], ["order-17/a+b="]])
def test_an_idempotency_key(values: list[str]) -> None:
    assert contract.idempotency_key(values) == values[0]


def test_an_idempotency_key_is_optional() -> None:
    assert contract.idempotency_key([]) is None


@pytest.mark.parametrize(
    "values", [[""], ["a" * 256], ["a b"], ["é"], ["a\n"], ["\x7f"], ["a", "a"], [None], [1], [["a"]]]
)
def test_a_bad_idempotency_key(values: list[Any]) -> None:
    with pytest.raises(RefusedError) as caught:
        contract.idempotency_key(values)
    assert [error["field"] for error in caught.value.errors] == ["Idempotency-Key"]


def test_a_normalised_request_is_accepted_and_means_the_same() -> None:
    payment = accepted(description="d", metadata={"k": "v"}, amount=1e1)
    assert contract.payment(json.dumps(payment.request()).encode()) == payment


@given(st.integers(1, contract.MAX_MINOR_UNITS), st.sampled_from(sorted(CURRENCIES)))
def test_any_amount_survives_being_written_and_read(minor_units: int, currency: str) -> None:
    text = contract.decimal_text(minor_units, currency)
    assert Decimal(text) == Decimal(minor_units).scaleb(-CURRENCIES[currency])
    assert contract.payment(literal(text, currency)) == contract.payment(literal(f'"{text}"', currency))
    assert contract.payment(literal(text, currency)).amount_minor == minor_units


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**12, places=5))
def test_an_amount_is_accepted_when_its_value_fits_and_only_then(value: Decimal) -> None:
    minor_units = value.scaleb(2)
    fits = minor_units == int(minor_units) and 0 < minor_units <= contract.MAX_MINOR_UNITS
    try:
        assert contract.payment(literal(f"{value:f}")).amount_minor == minor_units
        assert fits
    except RefusedError:
        assert not fits


# --- the request models of the API -----------------------------------------------------------------------------


def model_accepts(schema: dict[str, Any], value: Any) -> bool:
    """Validate by the keywords of JSON schema draft 4 that the models use; any other is a mistake."""
    assert schema.keys() <= {"$schema", "type", "required", "properties", "additionalProperties"}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    python: dict[str, Any] = {"object": dict, "string": str, "number": (int, float)}
    if isinstance(value, bool) or not any(isinstance(value, python[each]) for each in types):
        return False
    if not isinstance(value, dict):
        return True
    known, other = schema.get("properties", {}), schema["additionalProperties"]
    if not set(schema.get("required", [])) <= value.keys():
        return False
    return all(
        model_accepts(known.get(name, other), each) if name in known or other else False for name, each in value.items()
    )


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
NEARLY_VALID = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.sampled_from(["1", 1, 1.5]) | JUNK,
        "currency": st.sampled_from(["USD", "JPY"]) | JUNK,
        "customer_id": st.sampled_from(["c", "d"]) | JUNK,
        "description": st.text(max_size=5) | JUNK,
        "reference": st.text(max_size=5) | JUNK,
        "payment_method": st.text(max_size=5) | JUNK,
        "metadata": st.dictionaries(st.text(max_size=5), st.text(max_size=5) | JUNK, max_size=3) | JUNK,
        "transaction_id": st.just("t") | JUNK,
        "surplus": JUNK,
    },
)


@settings(max_examples=300)
@given(NEARLY_VALID | JUNK)
def test_whatever_a_model_refuses_the_contract_refuses_too(value: Any) -> None:
    body = json.dumps(value).encode()
    for name, check in (("validate", contract.payment), ("process", contract.transaction_id)):
        if not model_accepts(REQUEST_MODELS[name], value):
            with pytest.raises(RefusedError):
                check(body)


def test_the_models_state_structure_only() -> None:
    model = REQUEST_MODELS["validate"]
    for value in ({**VALID, "amount": 10.001}, {**VALID, "currency": "usd"}, {**VALID, "description": "x" * 999}):
        assert model_accepts(model, value)
        assert status(refusal(value)) == 400
    unfit: tuple[Any, ...] = (
        {},
        [],
        {**VALID, "amount": True},
        {**VALID, "surplus": 1},
        {**VALID, "metadata": {"k": 1}},
    )
    for each in unfit:
        assert not model_accepts(model, each)
    assert model_accepts(REQUEST_MODELS["process"], {"transaction_id": "?"})


def test_the_contract_can_be_loaded_by_its_path() -> None:
    spec = importlib.util.spec_from_file_location("elsewhere", Path(contract.__file__))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.REQUEST_MODELS == REQUEST_MODELS
