"""Recognises files of the earlier system by what all of them have and none of ours has."""

from enum import Enum
from typing import Any

from townlet_core.config.documents import Document, KeyPath

COMMAND = "townlet config migrate"


class EarlierForm(Enum):
    """What kind of file of the earlier system it is."""

    CONFIG = "earlier:config"
    PERTURBATIONS = "earlier:perturbations"
    MANIFEST = "earlier:affordances"


def earlier_form(data: Any) -> tuple[EarlierForm, KeyPath] | None:
    """Say which kind of earlier file plain data is, and which key tells; None for anything else.

    Every configuration had `features`; every perturbation its daily probability; manifests were lists of entries.
    """
    if isinstance(data, list):
        entries = bool(data) and all(isinstance(entry, dict) and "id" in entry for entry in data)
        return (EarlierForm.MANIFEST, ()) if entries else None
    if not isinstance(data, dict):
        return None
    if isinstance(data.get("features"), dict):
        return EarlierForm.CONFIG, ("features",)
    events = data.get("events")
    if isinstance(events, dict) and any(isinstance(event, dict) and "kind" in event for event in events.values()):
        return EarlierForm.PERTURBATIONS, ("events",)
    return None


def refuse_earlier(document: Document) -> None:
    """Refuse a file of the earlier system, naming the command that translates it. Raises ConfigError."""
    found = earlier_form(document.data)
    if found is not None:
        form, path = found
        file = document.place(())[0].file
        reason = f"this is a file of an earlier system ({form.value}), which cannot be loaded"
        raise document.error(path, f"{reason}; translate it: {COMMAND} {file}")
