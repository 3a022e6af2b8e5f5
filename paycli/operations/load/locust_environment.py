"""What master and workers have in common for Locust: which user there is, and what it does."""

from collections.abc import Callable

import locust
from locust.env import Environment
from locust.exception import StopUser


class LoadEnvironment(Environment):
    """Locust's environment of one process; the one user that Locust gives to each worker calls `run`, once."""

    def __init__(self, run: Callable[[], None]) -> None:
        super().__init__(user_classes=[Arrivals])
        self.run = run


class Arrivals(locust.User):
    """All callers of one worker: Locust's own users wait for their answers, and arrivals don't."""

    environment: LoadEnvironment

    @locust.task
    def arrive(self) -> None:
        """Send the worker's share of the load."""
        self.environment.run()
        raise StopUser
