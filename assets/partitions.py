"""One partition is one captured day: the unit of capture and curation, named by its date."""

import dagster as dg

FIRST_DAY = "2026-11-01"

DAYS = dg.DailyPartitionsDefinition(start_date=FIRST_DAY)
