"""`tz.data.augment`, so that it can be imported from: the module itself, under the name that users write."""

import sys

from tarazu.runtime.augment import *  # noqa: F403 - for type checkers

sys.modules[__name__] = sys.modules["tarazu.runtime.augment"]
