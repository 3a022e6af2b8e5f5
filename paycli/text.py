"""Text from elsewhere, made safe to show."""

import re
from itertools import takewhile

# AWS quotes the request after a bad signature, session token and all; a URL may hold a password.
_SECRETS = (
    (re.compile(r"(x-amz-security-token[:=]\s*)[^\s&'\"]+", re.IGNORECASE), r"\1…"),
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+@"), r"\1…@"),
)
# A space of no width parts what would tell somebody, link an issue or an address.
_LETTERS = str.maketrans(
    {letter: f"\\{letter}" for letter in "\\`*_[]()|~!$"}
    | {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "@&#8203;", "#": "#&#8203;"}
)

# Characters of a value: one that is shown whole, the most that is shown, and what stands around a difference.
_SHORT, _LONGEST, _AROUND = 60, 200, 20


def printable(text: str) -> str:
    """Return the text without control characters: what a name or AWS says can't steer the terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text)


def redacted(text: str) -> str:
    """Return the text without session tokens and without passwords in URLs."""
    for secret, rest in _SECRETS:
        text = secret.sub(rest, text)
    return text


def one_line(text: str) -> str:
    """Return the text as printable() does, in one line: what it says can't pass for a line of its own."""
    return " ".join(printable(text).split())


def for_markdown(text: str) -> str:
    """Return a text that Markdown shows as it is, in one line."""
    return one_line(text).translate(_LETTERS).replace("://", ":&#8203;//").replace("www.", "www&#8203;.")


def differing(before: str, after: str) -> tuple[str, str]:
    """Return two values as far as they differ, and a little around it, where they are long: … is what they share."""
    longest = max(len(before), len(after))
    same = _same(before, after)
    ends = _same(before[same:][::-1], after[same:][::-1])  # what both begin with can't be what both end with
    first, last = max(same - _AROUND, 0), max(ends - _AROUND, 0)
    if longest <= _SHORT or not (before and after):
        first = last = 0
    return _part(before, first, last), _part(after, first, last)


def _same(one: str, other: str) -> int:
    """Return how many letters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _part(text: str, first: int, last: int) -> str:
    part = text[first : len(text) - last]
    cut = len(part) > _LONGEST
    return f"{'…' if first else ''}{part[:_LONGEST]}{'…' if last or cut else ''}"


def span(seconds: float) -> str:
    """Return how long something is in words, in the largest unit of which there are two: `5 h`; never less than 0 s."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
