"""Reading whole tables side by side, and waiting where AWS can't be asked for a while."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from paycli.aws_errors import is_temporary
from paycli.operations.restore.items import Item
from paycli.progress import Report, Step

T = TypeVar("T")
Key = Mapping[str, Any]

SEGMENTS = 4
MOST_SEGMENTS = 8  # one connection each; botocore's pool has ten
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
_MOST_KEYS = 100
_SILENCE_SECONDS = 300.0  # how long AWS may throttle or be out of reach
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0  # seconds
_TELL_SECONDS = 5.0


class StoppedError(Exception):
    """Another thread failed, or the user interrupted."""


class Reader:
    """Calls of DynamoDB that wait where botocore's own retries are used up, and end when `stop` is set."""

    def __init__(self, dynamodb: Any, report: Report) -> None:
        self.dynamodb, self._report = dynamodb, report
        self.stop = threading.Event()

    def patiently(self, call: Callable[..., T], **request: Any) -> T:
        """Return the answer; what is temporary is waited out for 300 s. Raises StoppedError, and what AWS refuses."""
        began, pause = time.monotonic(), _FIRST_PAUSE
        while not self.stop.is_set():
            try:
                return call(**request)
            except (BotoCoreError, ClientError) as error:
                if not is_temporary(error) or time.monotonic() - began > _SILENCE_SECONDS:
                    raise
                if pause == _FIRST_PAUSE:
                    self._report(Step(f"AWS throttles or is out of reach; paycli waits and goes on: {error}"))
            self.stop.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        raise StoppedError

    def pages(
        self, table: str, segment: int, segments: int, *, after: Key | None = None, attributes: Collection[str] = ()
    ) -> Iterator[tuple[list[Item], Key | None]]:
        """Give the pages of one segment of the table, each with the key that it ends at; None is the end."""
        request: dict[str, Any] = {
            "TableName": table,
            "ConsistentRead": True,
            "Segment": segment,
            "TotalSegments": segments,
            **_only(attributes),
        }
        while True:
            page = self.patiently(self.dynamodb.scan, **request, **({"ExclusiveStartKey": after} if after else {}))
            after = page.get("LastEvaluatedKey")
            yield page["Items"], after
            if not after:
                return

    def items(self, table: str, ids: Iterable[str], *, attributes: Collection[str] = ()) -> dict[str, Item]:
        """Return the items of these ids that are there, by id; consistent reads."""
        wanted = [{"transaction_id": {"S": each}} for each in ids]
        found: dict[str, Item] = {}
        while wanted:
            keys, wanted = wanted[:_MOST_KEYS], wanted[_MOST_KEYS:]
            request = {"Keys": keys, "ConsistentRead": True, **_only(attributes)}
            answer = self.patiently(self.dynamodb.batch_get_item, RequestItems={table: request})
            found |= {item["transaction_id"]["S"]: item for item in answer["Responses"].get(table, [])}
            rest = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if len(rest) == len(keys):  # DynamoDB throttles without an error
                self.stop.wait(_FIRST_PAUSE)
            wanted = [*rest, *wanted]
        return found

    def side_by_side(self, width: int, tasks: Iterable[Callable[[], None]]) -> None:
        """Run tasks on `width` threads; the first failure, or an interrupt, stops them all and is raised."""
        with ThreadPoolExecutor(width) as pool:
            running = [pool.submit(task) for task in tasks]
            try:
                for done in as_completed(running):
                    done.result()
            except BaseException:
                self.stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise


def _only(attributes: Collection[str]) -> dict[str, Any]:
    names = {f"#a{number}": name for number, name in enumerate(attributes)}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names} if names else {}


class Ticker:
    """Says now and then how far a count is."""

    def __init__(self, report: Report, words: str, about: int) -> None:
        self._report, self._words = report, words
        self._of = f" of about {about:,}" if about else ""
        self._lock = threading.Lock()
        self._count = 0
        self._told = time.monotonic()

    def add(self, number: int) -> None:
        """Count, and say it where 5 s have passed."""
        with self._lock:
            self._count += number
            if time.monotonic() - self._told < _TELL_SECONDS:
                return
            self._told = time.monotonic()
            said = f"{self._words}: {self._count:,}{self._of}"
        self._report(Step(said))
