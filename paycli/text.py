"""Text from elsewhere, made safe to show."""

import re

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


def span(seconds: float) -> str:
    """Return how long something is in words, in the largest unit of which there are two: `5 h`; never less than 0 s."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
