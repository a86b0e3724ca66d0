"""The stages of the line as Dagster assets and asset checks: thin wrappers, one module per stage."""
