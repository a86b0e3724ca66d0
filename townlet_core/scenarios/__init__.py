"""Whether what a scenario promises happens: measures taken while its towns live, and verdicts on them."""

from townlet_core.scenarios.binding import bind
from townlet_core.scenarios.checking import Actor, Report, Verdict, check, towns_that_keep

__all__ = ["Actor", "Report", "Verdict", "bind", "check", "towns_that_keep"]
