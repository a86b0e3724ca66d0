"""Code versions: which sources each stage's results depend on, so that the UI shows as stale what really is."""

from townlet_core.sources import ENGINE, source_digest

SOURCES = {
    "capture": (*ENGINE, "datasets", "policy"),
    "curation": ("config", "datasets"),
    "datasets": ("config", "datasets"),
    "training": ("config", "datasets", "policy", "observations"),
    "telemetry": ("telemetry", "datasets"),
    "evaluation": (*ENGINE, "policy", "stability"),
    "golden": (*ENGINE, "policy", "scenarios", "stability"),
    "variants": (*ENGINE, "datasets", "policy", "release", "stability"),
    "promotion": ("config", "stability"),
    "release": ("release", "stability"),
}
"""For each group of assets, and for rehearsals that need more, the packages of the library that do the work."""


def code_version(group: str) -> str:
    """The code version of a group's assets: twelve digits of the digest of the sources that do the work."""
    return source_digest(*SOURCES[group])[:12]
