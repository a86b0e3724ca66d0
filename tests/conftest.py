"""What every test stands on: nothing reaches the data of whoever runs the tests, and every run tries the same cases."""

import os

from hypothesis import settings

for place in ("DAGSTER_HOME", "TOWNLET_DATA", "TOWNLET_CONFIGS"):
    os.environ.pop(place, None)
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"

settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
