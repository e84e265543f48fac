"""What holds for all tests."""

import os


def pytest_configure(config):
    """Compiled programs go to a folder of the tests' own, unless TARAZU_CACHE names one."""
    if "TARAZU_CACHE" not in os.environ:
        kept = getattr(config, "cache", None)  # not there under `-p no:cacheprovider`
        os.environ["TARAZU_CACHE"] = str(kept.mkdir("tarazu")) if kept else "off"
