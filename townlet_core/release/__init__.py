"""Release bundles: built whole or not at all, described by a manifest, verified offline, traced to every input."""

from townlet_core.release.bundle import Bundle, build_bundle
from townlet_core.release.environment import environment_lock
from townlet_core.release.verify import Problem, VerifyReport, require_verified, verify_bundle

__all__ = [
    "Bundle",
    "Problem",
    "VerifyReport",
    "build_bundle",
    "environment_lock",
    "require_verified",
    "verify_bundle",
]
