"""What went wrong, said plainly: an error that Townlet raises on purpose is one line in Dagster, and not retried."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from townlet_core.errors import TownletError

EXIT_CODE = "exit_code"


@contextmanager
def plain_failures() -> Iterator[None]:
    """Turn a TownletError inside the block into a step failure whose description is the error's own line."""
    try:
        yield
    except TownletError as error:
        raise dg.Failure(str(error), metadata={EXIT_CODE: error.exit_code}, allow_retries=False) from error
