"""When AWS deprecates the Lambda runtimes that paycli offers."""

from datetime import date, timedelta

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, as of 2026-11; a test compares with cfn-lint.
DEPRECATIONS = {
    "python3.11": date(2027, 6, 30),
    "python3.12": date(2028, 10, 31),
    "python3.13": date(2029, 6, 30),
    "python3.14": date(2029, 6, 30),
}
_NOTICE = timedelta(days=180)


def warning(runtime: str, today: date) -> str | None:
    """Return what to say of a runtime that AWS deprecates within 180 days, or has deprecated."""
    deprecated = DEPRECATIONS[runtime]
    if deprecated - today > _NOTICE:
        return None
    newest = max(DEPRECATIONS, key=lambda name: (DEPRECATIONS[name], name))
    verb = "deprecates" if today < deprecated else "has deprecated"
    return f'Warning: AWS {verb} {runtime} on {deprecated}. Set runtime = "{newest}" in paycli.toml.'
