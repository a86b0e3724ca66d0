"""Towns of any number of citizens, all alike: quarters of eight, each with its homes, shops, café, office and park."""

from pathlib import Path

from townlet_core.config import Job, TownConfig, embedded_config, load_config

DEFAULT = Path(__file__).resolve().parents[2] / "configs" / "towns" / "default.yaml"
PEOPLE = 8
"""Citizens of a quarter."""
TREASURY = 250.0
"""What the town begins with for each citizen."""
QUARTER = (
    "#########################=",
    "#bsfwb#bsfwb#bsfwb#bsfwb#=",
    "#hhhhh#hhhhh#hhhhh#hhhhh#=",
    "###+#####+#####+#####+###=",
    "==========================",
    ",t,t,,g,g,g,g,,k,k,,d,d,d=",
    ",,,,,,,,,,,,,,,,,,,,,,,,,=",
    ",c,c,c,c,c,c,p,p,p,y,r,,d=",
    "==========================",
)
JOBS = {
    "barista_early": ("cafe_counter", 420, 900, 1),
    "barista_late": ("cafe_counter", 840, 1320, 1),
    "clerk": ("desk", 540, 1020, 4),
    "grocer_early": ("till", 480, 960, 1),
    "grocer_late": ("till", 720, 1200, 1),
}
"""For each job its workplace, start, end, and how many of it a quarter has."""


def crowd_town(citizens: int, **overrides: object) -> TownConfig:
    """Return a town of so many citizens, a multiple of eight, as dense as any other; overrides as in a town file.

    Work is given out street by street, so that nobody works farther away than the street is long.
    """
    quarters = citizens // PEOPLE
    columns = next(count for count in (1, 2, 4, 8) if quarters <= count * count * 4)
    streets = -(-quarters // columns)
    base = load_config(DEFAULT, overrides)
    plan = base.map.model_copy(update={"map_id": f"crowd-{citizens}", "rows": _rows(columns, streets)})
    economy = base.economy.model_copy(update={"treasury": TREASURY * citizens})
    parts = {"agents": citizens, "map": plan, "economy": economy, "jobs": _jobs(base.jobs, columns, streets)}
    if base.embedding_allocator.max_slots < citizens:
        parts["embedding_allocator"] = base.embedding_allocator.model_copy(update={"max_slots": citizens})
    return embedded_config(base.model_copy(update=parts).model_dump_json(), f"a town of {citizens}")


def _rows(columns: int, streets: int) -> list[str]:
    width = columns * len(QUARTER[0]) + 2
    inside = [f"#{line * columns}#" for _ in range(streets) for line in QUARTER]
    return ["#" * width, *inside, "#" * width]


def _jobs(kinds: dict[str, Job], columns: int, streets: int) -> dict[str, Job]:
    return {
        f"street_{street:02d}_{name}": kinds[name].model_copy(
            update={"workplace": place, "start_tick": start, "end_tick": end, "openings": count * columns}
        )
        for street in range(streets)
        for name, (place, start, end, count) in JOBS.items()
    }
