"""The environment lock of a release: the Python and the exact versions that its packages depend on."""

import platform
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name


def environment_lock(root: str = "townlet") -> str:
    """The versions in use, one `name==version` a line under a comment with the Python version.

    Args:
        root: the distribution whose dependencies are followed. Where it is not installed (a bare checkout), every
            installed distribution is listed instead: too much is better than a lock that leaves something out.

    Returns:
        Text in the format of a pip requirements file, sorted by name; the root itself is left out.
    """
    found = {name: version for name, version in _closure(root) if name != canonicalize_name(root)}
    lines = [f"{name}=={version}" for name, version in sorted(found.items())]
    return f"# {platform.python_implementation()} {platform.python_version()}\n" + "\n".join(lines) + "\n"


def _closure(root: str) -> Iterator[tuple[str, str]]:
    if _installed(root) is None:
        yield from ((canonicalize_name(dist.metadata["Name"]), dist.version) for dist in distributions())
        return
    seen: set[str] = set()
    waiting = [Requirement(root)]
    while waiting:
        requirement = waiting.pop()
        found = _installed(requirement.name)
        key = f"{canonicalize_name(requirement.name)}[{','.join(sorted(requirement.extras))}]"
        if found is None or key in seen:
            continue
        seen.add(key)
        yield canonicalize_name(requirement.name), found.version
        waiting += _needed(found, requirement.extras)


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _needed(dist: Distribution, extras: set[str]) -> list[Requirement]:
    return [need for text in dist.requires or () if (need := _parsed(text)) and _applies(need, extras)]


def _parsed(text: str) -> Requirement | None:
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))
