"""How results are shown in Dagster: tables as markdown, and the columns of Parquet files with what they mean."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> dg.MarkdownMetadataValue:
    """A markdown table; floats are shown with four significant digits."""
    lines = ["| " + " | ".join(headers) + " |", "|" + "---|" * len(headers)]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows]
    return dg.MetadataValue.md("\n".join(lines))


def cell(value: Any) -> str:
    """One value as text for a table; a pipe sign would end the cell, so it is escaped."""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")


def facts(values: Mapping[str, Any]) -> dg.MarkdownMetadataValue:
    """A two-column table of names and values."""
    return table(["what", "value"], values.items())


def column_schema(schema: Any, about: Mapping[str, str] | None = None) -> dg.TableSchema:
    """The columns of a Parquet file from its Arrow schema, with a description where `about` has one."""
    described = about or {}
    return dg.TableSchema([dg.TableColumn(f.name, str(f.type), description=described.get(f.name)) for f in schema])


def figure_schema(schema: Any, about: Mapping[str, str]) -> dg.TableSchema:
    """The columns of a table of key figures of towns; `about` describes those that are none."""
    from townlet_core.core import kpi_meaning

    meanings = {name: meaning for name in schema.names if (meaning := kpi_meaning(name)) is not None}
    return column_schema(schema, {**meanings, **about})
