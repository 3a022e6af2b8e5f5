"""The checks of a deployed stack: real HTTP and real boto3 against whatever its outputs name.

`run` is the way in; `checks.py` lists what is checked, one small module a topic says how.
"""

from paycli.smoke.result import CheckResult
from paycli.smoke.runner import DEADLINE_SECONDS, names, run
from paycli.smoke.session import Target

__all__ = ["DEADLINE_SECONDS", "CheckResult", "Target", "names", "run"]
