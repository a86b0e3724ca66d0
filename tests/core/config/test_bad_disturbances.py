"""Weather, prices and perturbations that cannot be are refused in one line with what would be right."""
# ruff: noqa: E501 - an expected message is one line here because it must be one line there

import pytest

from tests.core.config.conftest import Files, refused
from townlet_core.config import basket_per_day, load_config
from townlet_core.config.basket import price_level, weather_shares
from townlet_core.errors import ConfigError

TOWN = "towns/small.yaml"
SPIKE = "perturbations: {events: {dear: {kind: price_spike, prob_per_day: 0.5, duration: [10, 20], magnitude: [1.0, 2.0], targets: [grocer]}}}"
MEET = "perturbations: {events: {meet: {kind: arranged_meet, prob_per_day: 0.5, duration: [10, 20], who: random, where: shelf, max_participants: 4}}}"

MISTAKES = [
    (SPIKE, "[grocer]", "[grocers]", "perturbations.events.dear.targets: unknown price, shop or group 'grocers'; did you mean 'grocer'?"),
    (SPIKE, "targets: [grocer]", "targets: []", "perturbations.events.dear.targets: found [], expected a list of 1 or more"),
    (SPIKE, ", targets: [grocer]", "", "perturbations.events.dear: the kind price_spike needs the key 'targets'; add it"),
    (SPIKE, "kind: price_spike", "kind: price_spice", "perturbations.events.dear.kind: unknown name 'price_spice'; did you mean 'price_spike'?"),
    (SPIKE, "[1.0, 2.0]", "[2.0, 1.0]", "perturbations.events.dear.magnitude: found [2.0, 1.0], expected the lower bound first"),
    (SPIKE, "duration: [10, 20]", "duration: [20, 10]", "perturbations.events.dear.duration: found [20, 10], expected the lower bound first"),
    (SPIKE, "kind: price_spike", "kind: blackout", "perturbations.events.dear.magnitude: means nothing for the kind blackout; remove it"),
    (MEET, "where: shelf", "where: shelv", "perturbations.events.meet.where: unknown object type on the map 'shelv'; did you mean 'shelf'?"),
    (MEET, "who: random", "who: top_rivals", "perturbations.events.meet.who: found top_rivals, but nobody has ties while stages.relationships is OFF; switch them on, or call random citizens"),
    (MEET, "participants: 4", "participants: 1", "perturbations.events.meet.max_participants: found 1, expected a whole number from 2 to 50"),
    ("weather: {enabled: true, start: rain}", "start: rain", "start: rein", "weather.start: unknown name 'rein'; did you mean 'rain'?"),
    ("weather: {kinds: {clear: {pause_every: 2}}}", "pause_every: 2", "pause_every: 1", "weather.kinds.clear.pause_every: found 1, expected 0 for no pauses, or 2 or more, so that people get on"),
    ("weather: {kinds: {clear: {turns_to: {rain: 0.5}}, rain: {}}}", ", rain: {}", "", "weather: needs a kind for 'rain', which can follow"),
    ("weather: {kinds: {clear: {prices: {market: 2.0}}}}", "market", "markt", "weather.kinds.clear.prices: unknown price, shop or group 'markt'; did you mean 'market'?"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "right", "wrong", "said"), MISTAKES)
def test_a_town_with_a_mistake_is_refused(configs: Files, section: str, right: str, wrong: str, said: str) -> None:
    path = configs.root / TOWN
    path.write_text(path.read_text() + section + "\n")
    load_config(path)
    line = configs.spoil(TOWN, section, section.replace(right, wrong))
    assert refused(load_config, path) == f"configs/towns/small.yaml:{line}: {said}"


@pytest.mark.parametrize(("economy", "said"), [
    ("truck: {arrives: [100, 1440]}", "economy.truck.arrives: lies beyond the day's 1440 ticks; the day is clock.ticks_per_day long"),
    ("spoilage: {shelv: 0.1}", "economy.spoilage.shelv: unknown object type 'shelv'; did you mean 'shelf'?"),
    ("clothes: {enabled: true}", "economy.clothes.enabled: clothes wear out, but nothing mends them; add an affordance with mends_clothes, or switch clothes off"),
])  # fmt: skip
def test_an_economy_with_a_mistake_is_refused(configs: Files, economy: str, said: str) -> None:
    line = configs.spoil(TOWN, "  rent_per_day: 6.0\n", f"  rent_per_day: 6.0\n  {economy}\n") + 1
    assert refused(load_config, configs.root / TOWN) == f"configs/towns/small.yaml:{line}: {said}"


def test_the_basket_counts_prices_at_the_level_they_may_keep(configs: Files) -> None:
    usual = basket_per_day(load_config(configs.root / TOWN))
    moves = {"economy": {"price_moves": {"daily_max": 0.1, "bound": 0.2, "reversion": 0.1}}}
    assert basket_per_day(load_config(configs.root / TOWN, moves)) == pytest.approx(1.2 * usual)
    reverting = {"economy": {"price_moves": {"daily_max": 0.1, "bound": 0.2, "reversion": 1.0}}}
    assert basket_per_day(load_config(configs.root / TOWN, reverting)) == pytest.approx(1.1 * usual)
    kinds = {"clear": {"turns_to": {"snow": 0.1}}, "snow": {"turns_to": {"clear": 0.3}, "prices": {"global": 2.0}}}
    snowy = load_config(configs.root / TOWN, {"weather": {"enabled": True, "kinds": kinds}})
    assert weather_shares(snowy)["snow"] > 0.2
    assert price_level(snowy)["groceries"] > 1.2


def test_a_wage_that_does_not_carry_high_prices_is_refused(configs: Files) -> None:
    moves = {"economy": {"price_moves": {"daily_max": 0.9, "bound": 0.9, "reversion": 0.1}}}
    wages = {"jobs": {"early": {"wage_rate": 0.0165}}}
    load_config(configs.root / TOWN, wages)
    with pytest.raises(ConfigError, match=r"early.wage_rate: a day's wage is 7.92, but rent 6.00 and needs 3.28 cost"):
        load_config(configs.root / TOWN, {**wages, **moves})
