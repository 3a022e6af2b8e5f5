"""Text from elsewhere, made safe to show."""


def printable(text: str) -> str:
    """Return the text without control characters: what a name or AWS says can't steer the terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text)


def one_line(text: str) -> str:
    """Return the text as printable() does, in one line: what it says can't pass for a line of its own."""
    return " ".join(printable(text).split())
