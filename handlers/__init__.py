"""What runs in Lambda."""

import gc

gc.disable()  # until the end of init: 10 to 30 ms less of a cold start
