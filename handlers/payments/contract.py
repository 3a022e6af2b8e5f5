"""The payment contract: every field, limit and problem of the API.

Pure, and without imports of this package: it is also loaded by its path, for the API's request models.
"""

import functools
import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

MAX_BODY_BYTES = 8192  # where the common rules of AWS WAF stop reading a body
MAX_MINOR_UNITS = 99_999_999_999
TEXT_LIMITS = {"description": 500, "reference": 64, "payment_method": 64}  # characters
METADATA_ENTRIES, METADATA_KEY, METADATA_VALUE = 10, 40, 256

# Active codes of ISO 4217 list one (six-group.com, list-one.xml) that have minor units, after their decimals.
CURRENCIES_AS_OF = "2026-01-01"
_LIST_ONE = """
0 BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
2 AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP
2 COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
2 JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN
2 NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL
2 THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
3 BHD IQD JOD KWD LYD OMR TND
4 CLF UYW
"""
CURRENCIES = {code: int(line[0]) for line in _LIST_ONE.strip().splitlines() for code in line[2:].split()}

# Every answer but 200: code -> (status, detail).
PROBLEMS: dict[str, tuple[int, str]] = {
    "invalid_request": (400, "The request breaks the contract; `errors` says where."),
    "card_data_refused": (400, "Send a token that stands for the card, no card data."),
    "payment_not_found": (404, "No payment has this transaction_id."),
    "route_not_found": (404, "There is nothing at this path."),
    "method_not_allowed": (405, "This path does not answer this method."),
    "payment_expired": (409, "The payment expired unprocessed; validate it again, with its Idempotency-Key."),
    "body_too_large": (413, f"The body is larger than {MAX_BODY_BYTES} bytes."),
    "idempotency_key_reused": (422, "This Idempotency-Key was used with another request."),
    "internal_error": (500, "The request failed; it is recorded under request_id."),
    "temporarily_unavailable": (503, "The outcome is unknown. Send the request again, with its Idempotency-Key."),
}

_REQUIRED = ("amount", "currency", "customer_id")
_KNOWN = (*_REQUIRED, *TEXT_LIMITS, "metadata")
_STRING = {"type": "string"}


def _model(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


# Structure only, without anyOf, which AWS lacks. A model may not refuse what the contract accepts.
REQUEST_MODELS: dict[str, dict[str, Any]] = {
    "validate": _model(
        _REQUIRED,
        amount={"type": ["number", "string"]},
        currency=_STRING,
        customer_id=_STRING,
        **dict.fromkeys(TEXT_LIMITS, _STRING),
        metadata={"type": "object", "additionalProperties": _STRING},
    ),
    "process": _model(("transaction_id",), transaction_id=_STRING),
}


Errors = list[dict[str, str]]  # of {"field", "message"}; a message holds no value


class RefusedError(Exception):
    """One of `PROBLEMS` is the answer: what is wrong by field, and the fields that are valid."""

    def __init__(self, code: str, errors: dict[str, str] | None = None, accepted: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.errors: Errors = [{"field": field, "message": message} for field, message in (errors or {}).items()]
        self.accepted = accepted or {}


class Payment(NamedTuple):
    """A valid payment, normalised: one amount, however it was written."""

    amount_minor: int
    currency: str
    customer_id: str
    details: dict[str, Any]  # the optional fields that were sent

    def request(self) -> dict[str, Any]:
        """Return it as a body for /validate."""
        amount = decimal_text(self.amount_minor, self.currency)
        return {"amount": amount, "currency": self.currency, "customer_id": self.customer_id, **self.details}


def payment(body: bytes) -> Payment:
    """Return the payment in a body of /validate; raises RefusedError with all its errors."""
    fields = _fields(body)
    accepted: dict[str, Any] = {}
    errors = _misfits(fields, _KNOWN, _REQUIRED)
    for name, check in _CHECKS.items():
        if name in fields:
            try:
                accepted[name] = check(fields[name])
            except _InvalidError as error:
                errors[name] = str(error)
    minor_units = 0
    if "amount" in fields:
        try:
            minor_units = _minor_units(fields["amount"], accepted.get("currency"))
            if "currency" in accepted:
                accepted["amount"] = decimal_text(minor_units, accepted["currency"])
        except _InvalidError as error:
            errors["amount"] = str(error)
    if errors:
        code = "card_data_refused" if _CARD_LIKE in errors.values() else "invalid_request"
        raise RefusedError(code, errors, accepted)
    details = {name: accepted[name] for name in (*TEXT_LIMITS, "metadata") if name in accepted}
    return Payment(minor_units, accepted["currency"], accepted["customer_id"], details)


def transaction_id(body: bytes) -> str:
    """Return the id in a body of /process; one that is not of our making is not found."""
    fields = _fields(body)
    errors = _misfits(fields, ("transaction_id",), ("transaction_id",))
    if errors:
        raise RefusedError("invalid_request", errors)
    value = fields["transaction_id"]
    if type(value) is not str or not _ID.fullmatch(value):
        raise RefusedError("invalid_request", {"transaction_id": "is no transaction id"})
    if not _OUR_ID.fullmatch(value):
        raise RefusedError("payment_not_found")
    return value


def idempotency_key(values: list[Any]) -> str | None:
    """Return the Idempotency-Key, given all values of its header."""
    if not values:
        return None
    value = values[0] if len(values) == 1 else None
    if type(value) is not str or not _KEY.fullmatch(value):
        raise RefusedError("invalid_request", {"Idempotency-Key": "must be one, of 1 to 255 visible ASCII characters"})
    if has_card_number(value):
        raise RefusedError("card_data_refused", {"Idempotency-Key": _CARD_LIKE})
    return value


def decimal_text(minor_units: int, currency: str) -> str:
    """Write an amount with the decimals of its currency: 1050 USD is "10.50"."""
    decimals = CURRENCIES[currency]
    if not decimals:
        return str(minor_units)
    whole, fraction = divmod(minor_units, 10**decimals)
    return f"{whole}.{fraction:0{decimals}d}"


def has_card_number(text: str) -> bool:
    """Tell whether a text has digits of a network's prefix and length that pass Luhn, be it in groups.

    Luhn alone would refuse every tenth order number. UUIDs and digests are no cards.
    """
    if not _MANY_DIGITS.search(text):
        return False
    for stretch in _MANY_DIGITS.findall(_OPAQUE_ID.sub("x", text)):
        groups = ["".join(str(int(digit)) for digit in group) for group in _DIGITS.findall(stretch)]
        for first in range(len(groups)):
            number = ""
            for group in groups[first:]:
                number += group
                if len(number) > _LONGEST_CARD:
                    break
                if _CARD.fullmatch(number) and _luhn(number):
                    return True
    return False


class _InvalidError(ValueError):
    """A field breaks the contract."""


class _Number(str):
    """A JSON number as its literal: no float rounds it, and 1e99999999 costs nothing."""

    __slots__ = ()


def _fields(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY_BYTES:
        raise RefusedError("body_too_large")
    try:
        fields = _DECODER.decode(body.decode())
    except _InvalidError as error:
        raise RefusedError("card_data_refused", {"body": str(error)}) from None
    except (ValueError, RecursionError):
        fields = None
    if type(fields) is not dict:
        raise RefusedError("invalid_request", {"body": "must be one JSON object, each field once"})
    return fields


def _misfits(fields: dict[str, Any], known: tuple[str, ...], required: tuple[str, ...]) -> dict[str, str]:
    errors = {name: "is required" for name in required if name not in fields}
    if not fields.keys() <= set(known):
        errors["body"] = f"may only have the fields {', '.join(known)}"
    return errors


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object of a body: this sees all field names, at any depth."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError
    for name in result:
        if name not in _KNOWN:
            letters = _NOT_ALPHANUMERIC.sub("", unicodedata.normalize("NFKC", name).casefold())
            if _CARD_FIELD.fullmatch(letters):
                raise _InvalidError("has a field for card data")
    return result


def _constant(_: str) -> NoReturn:
    raise ValueError  # NaN and Infinity (RFC 8259, section 6)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_Number, parse_int=_Number, parse_constant=_constant)


def _minor_units(value: object, currency: str | None) -> int:
    """Return an amount in minor units; digits are moved, never rounded. Without a currency only its form is checked.

    By value: 10.00 JPY is 10 JPY, as 10.0 and 10 are one number in JSON.
    """
    form = _JSON_NUMBER if type(value) is _Number else _PLAIN_DECIMAL
    match = form.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise _InvalidError("must be a JSON number or a plain decimal string, such as 10.50")
    sign, whole, fraction, exponent_sign, exponent = match.groups(default="")
    digits = (whole + fraction).lstrip("0")
    if sign or not digits:
        raise _InvalidError("must be greater than 0")
    significant = digits.rstrip("0")
    # The value is significant * 10**power. Five digits of an exponent decide: no body has digits to offset more.
    power = int(exponent_sign + (exponent[:5] or "0")) + len(digits) - len(significant) - len(fraction)
    if currency is None:
        return 0
    power += CURRENCIES[currency]
    if power < 0:
        raise _InvalidError("has more decimals than its currency")
    if len(significant) + power > len(str(MAX_MINOR_UNITS)):
        raise _InvalidError(f"must be at most {MAX_MINOR_UNITS:,} minor units of its currency")
    return int(significant + "0" * power)


def _currency(value: object) -> str:
    if type(value) is not str or value not in CURRENCIES:
        raise _InvalidError("must be an active ISO 4217 code in upper case")
    return value


def _customer_id(value: object) -> str:
    text = _text(value, 64)
    if not _ID.fullmatch(text):
        raise _InvalidError("must be 1 to 64 of A-Z a-z 0-9 _ . : @ -")
    return text


def _text(value: object, limit: int) -> str:
    if type(value) is not str:
        raise _InvalidError("must be a string")
    if has_card_number(value):
        raise _InvalidError(_CARD_LIKE)
    if len(value) > limit:
        raise _InvalidError(f"must be at most {limit} characters")
    if _SURROGATE.search(value):
        raise _InvalidError("must be valid Unicode")
    return value


def _metadata(value: object) -> dict[str, str]:
    if type(value) is not dict:
        raise _InvalidError("must be an object of strings")
    if len(value) > METADATA_ENTRIES:
        raise _InvalidError(f"must have at most {METADATA_ENTRIES} entries")
    if "" in value:
        raise _InvalidError("must not have an empty key")
    return {_text(key, METADATA_KEY): _text(text, METADATA_VALUE) for key, text in value.items()}


def _luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    return sum(digits[::2] + [digit * 2 - 9 * (digit > 4) for digit in digits[1::2]]) % 10 == 0


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "currency": _currency,
    "customer_id": _customer_id,
    **{name: functools.partial(_text, limit=limit) for name, limit in TEXT_LIMITS.items()},
    "metadata": _metadata,
}

_ID = re.compile(r"[A-Za-z0-9_.:@-]{1,64}")
_OUR_ID = re.compile("txn_[0-9a-f]{32}")
_CARD_LIKE = "looks like a card number"
_KEY = re.compile(r"[!-~]{1,255}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_DECIMAL = re.compile(r"()([0-9]+)(?:\.([0-9]+))?()()")
_JSON_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?)0*([0-9]*))?")

_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]")
_CARD_FIELD = re.compile(
    r"(?:[a-z0-9]*(?:credit|debit|payment|bank))?cards?(?:n(?:o|r|um|umber)|pan|data|details?|code|pin|exp.*|holder.*)?"
    r"|.*card(?:n(?:o|r|um|umber)\d*|pan|(?:security|verification).*|cv.*)|cc(?:n|no|num|number)"
    r"|pan|.*primaryaccountn.*|.*c(?:v[vcd]|cv)[12]?(?:code|number|value)?|cvn2?|csc|cav2?|.*securitycode"
    r"|track[12]?(?:data)?|magstripe|pin(?:block)?"
)

# Digits of any script, as `int` reads them, parted by white space, dashes, dots and the like.
_DIGITS = re.compile(r"\d+")
_MANY_DIGITS = re.compile(r"(?:\d[\s._/*|:+~\-\xad\u200b-\u200d\u2010-\u2015\u2060\u2212\ufeff]{0,3}){12,}")
_OPAQUE_ID = re.compile(
    r"(?<![^\W_])(?:[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![^\W_])",
    re.IGNORECASE,
)
# Prefixes and lengths by ISO/IEC 7812 (en.wikipedia.org/wiki/Payment_card_number, 2026-11).
_LONGEST_CARD = 19
_CARD = re.compile(
    r"4(?:\d{15}|\d{18})"  # Visa, without the old 13, which are an EAN's
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}|3(?:0[0-5]|09|[689]\d)\d{11}"  # American Express, Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12,15}|220[0-4]\d{12,15}"  # JCB, Mir
    r"|6(?:[025]\d|4[4-9])\d{13,16}|8[12]\d{14,17}"  # Discover, UnionPay, RuPay
    r"|(?:50(?:18|20|38)|5893|6304|67(?:59|6[1-3]))\d{8,15}"  # Maestro
)
