"""What the manifest names besides: paying first, paying back, and what is lost when a use fails."""

from pathlib import Path
from typing import Any

import numpy as np

from townlet_core.config import TownConfig, load_config
from townlet_core.core import Simulation
from townlet_core.world.events import Event
from townlet_core.world.state import USING

DEFAULT = Path(__file__).parents[3] / "configs" / "towns" / "default.yaml"
OUTAGE = {"start": [385, 385], "ticks": [60, 60], "probability": 1.0}


def town(name: str, hooks: dict[str, list[str]], utility: str, price: float = 0.5) -> TownConfig:
    """The default town with these hooks on one affordance, and an outage 25 minutes after the beginning."""
    outage = {**OUTAGE, "utility": utility}
    config = load_config(DEFAULT, {"outages": [outage], "economy": {"initial_ingredients": [3, 3]}})
    economy = config.economy.model_copy(update={"prices": config.economy.prices | {"shower": price}})
    use = config.affordances.affordances[name]
    use = use.model_copy(update={"hooks": type(use.hooks)(**hooks), "duration": 60})
    uses = {**config.affordances.affordances, name: use}
    manifest = config.affordances.model_copy(update={"affordances": uses})
    return config.model_copy(update={"affordances": manifest, "economy": economy})


def money(sim: Simulation) -> float:
    towns = sim.state.towns
    return float(
        (towns["treasury"] + towns["supplier"] + towns["tills"].sum(axis=1)).sum() + sim.agents["wallet"].sum()
    )


def wallets_around_the_outage(config: TownConfig, option: str) -> tuple[Simulation, dict[str, Any]]:
    """Let everybody do one thing for an hour; return what the users had before, during and after it failed."""
    sim = Simulation(config, towns=1, seed=2)
    actions = np.full(sim.shape, sim.layout.actions.index(option), np.int8)
    before, whole = sim.agents["wallet"][0].copy(), money(sim)
    seen: dict[str, Any] = {"before": before}
    for _ in range(30):
        failed = sim.step(actions).events.rows
        failed = failed[failed["kind"] == Event.AFFORDANCE_FAIL]["subject"]
        if len(failed) and "users" not in seen:
            seen |= {"users": failed, "after": sim.agents["wallet"][0].copy()}
        elif "users" not in seen:
            seen |= {"during": sim.agents["wallet"][0].copy(), "using": sim.agents["phase"][0] == USING}
    assert abs(money(sim) - whole) < 1e-9 * whole
    assert len(seen["users"]) > 2
    return sim, seen


def test_who_pays_first_has_paid_while_using_and_is_paid_back_when_it_fails() -> None:
    hooks = {"before": ["pay_first"], "fail": ["refund"]}
    _, seen = wallets_around_the_outage(town("use_shower", hooks, "water"), "wash")
    users = seen["users"]
    assert seen["using"][users].all()
    np.testing.assert_allclose(seen["during"][users], seen["before"][users] - 0.5)
    np.testing.assert_allclose(seen["after"][users], seen["before"][users])


def test_without_a_refund_the_price_is_gone() -> None:
    _, seen = wallets_around_the_outage(town("use_shower", {"before": ["pay_first"]}, "water"), "wash")
    np.testing.assert_allclose(seen["after"][seen["users"]], seen["before"][seen["users"]] - 0.5)


def test_without_hooks_one_pays_at_the_end_and_nothing_for_a_failure() -> None:
    _, seen = wallets_around_the_outage(town("use_shower", {}, "water"), "wash")
    np.testing.assert_allclose(seen["during"], seen["before"])
    np.testing.assert_allclose(seen["after"], seen["before"])


def test_a_meal_on_the_stove_is_lost_in_a_power_cut_only_where_the_manifest_says_so() -> None:
    for hooks, left in (({"fail": ["waste"]}, 2), ({}, 3)):
        sim, seen = wallets_around_the_outage(town("cook_meal", hooks, "power"), "cook")
        assert (sim.agents["ingredients"][0][seen["users"]] == left).all()


def test_who_paid_first_is_not_turned_out_for_having_spent_the_rest() -> None:
    config = town("use_shower", {"before": ["pay_first"]}, "power", price=8.0)
    sim = Simulation(config, towns=1, seed=2)
    actions = np.full(sim.shape, sim.layout.actions.index("wash"), np.int8)
    kinds: list[int] = []
    poor = 0
    for _ in range(80):
        kinds += sim.step(actions).events.rows["kind"].tolist()
        poor += int(((sim.agents["wallet"] < 8.0) & (sim.agents["phase"] == USING)).sum())
    assert poor > 0
    assert kinds.count(Event.AFFORDANCE_FINISH) > 0
    assert kinds.count(Event.AFFORDANCE_FAIL) == 0
