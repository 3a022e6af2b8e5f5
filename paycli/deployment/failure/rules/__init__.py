"""The frequent reasons, as rules; the first that fits wins, so the narrow ones come first.

The patterns come from texts of CloudFormation and its services, as users have reported them: the tests have each text
and where it stands.
"""

from paycli.deployment.failure.rules.beyond import BEYOND
from paycli.deployment.failure.rules.conflicts import CONFLICTS
from paycli.deployment.failure.rules.limits import LIMITS
from paycli.deployment.failure.rules.operation import OPERATION
from paycli.deployment.failure.rules.preparation import PREPARATION
from paycli.deployment.failure.rules.settings import SETTINGS

RULES = (*OPERATION, *CONFLICTS, *LIMITS, *PREPARATION, *SETTINGS, *BEYOND)
