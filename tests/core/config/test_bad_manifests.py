"""An affordance manifest that cannot work is refused at its line, alone and without a town."""
# ruff: noqa: E501 - an expected message is one line here because it must be one line there

import pytest

from tests.core.config.conftest import Files, refused
from townlet_core.config import check_affordances

MANIFEST = "affordances/small.yaml"


def refusal(configs: Files, strict: bool = False) -> str:
    return refused(check_affordances, configs.root / MANIFEST, strict)


MISTAKES = [
    ("object: shower", "object: shover", "affordances.wash.object: unknown object type 'shover'; did you mean 'shower'?"),
    ("option: eat_home", "option: eat_hom", "affordances.eat.option: unknown name 'eat_hom'; did you mean 'eat_home'?"),
    ("option: eat_home", "option: idle", "affordances.eat.option: unknown name 'idle'; expected one of cook, eat_home, eat_out, relax, shop, sleep, wash, work"),
    ("{hygiene: 0.6}", "{hygene: 0.6}", "affordances.wash.effects.hygene: unknown key 'hygene'; did you mean 'hygiene'?"),
    ("{hygiene: 0.6}", "{hygiene: 1.6}", "affordances.wash.effects.hygiene: found 1.6, expected a number from -1 to 1"),
    ("duration: 15", "duration: 0", "affordances.eat.duration: found 0, expected a whole number from 1 to 100000"),
    ("hours: [480, 1260]", "hours: [1260, 480]", "affordances.buy.hours: found [1260, 480], expected the opening tick before the closing tick"),
    ("utility: water", "utility: watr", "objects.shower.utility: unknown name 'watr'; did you mean 'water'?"),
    ("stock: 4, ", "stock: 14, ", "objects.fridge.stock: found 14, expected at most the capacity 12"),
    ("capacity: 20, restock", "restock", "objects.shelf.restock: restocking needs a capacity to refill to; add 'capacity'"),
    ("stock: 4, ", "", "objects.fridge.capacity: a capacity needs a stock to start with; add 'stock'"),
    ("object: workplace\n    duration: 60", "object: workplace\n    duration: 60\n    price: groceries", "affordances.sell.price: nobody pays for work; remove it, wages are the jobs' wage_rate"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES)
def test_a_manifest_with_a_mistake_is_refused(configs: Files, right: str, wrong: str, said: str) -> None:
    line = configs.spoil(MANIFEST, right, wrong) + wrong.count("\n")
    assert refusal(configs) == f"configs/affordances/small.yaml:{line}: {said}"


def test_more_affordances_for_an_option_than_the_kernels_keep_room_for_are_refused(configs: Files) -> None:
    more = "".join(
        f"  wash_{n}: {{option: wash, object: shower, duration: 5, effects: {{hygiene: 0.1}}}}\n" for n in range(4)
    )
    path = configs.root / MANIFEST
    path.write_text(path.read_text() + more)
    line = path.read_text().count("\n")
    said = "affordances.wash_3.option: 5 affordances serve the option wash, at most 4 can; leave some out"
    assert refusal(configs) == f"configs/affordances/small.yaml:{line}: {said}"


def test_more_shops_than_the_kernels_keep_tills_for_are_refused(configs: Files) -> None:
    more = "".join(f"  stall_{n}: {{shop: market_{n}}}\n" for n in range(8))
    line = configs.spoil(MANIFEST, "  till: {}\n", f"  till: {{}}\n{more}") + 8
    said = "objects.stall_7.shop: found 9 shops, expected at most 8; let some share a till"
    assert refusal(configs) == f"configs/affordances/small.yaml:{line}: {said}"


def test_stock_cannot_be_taken_from_what_holds_none(configs: Files) -> None:
    configs.spoil(MANIFEST, "fridge: {stock: 4, capacity: 12}", "fridge: {}")
    said = "affordances.eat.takes_stock: 'fridge' holds no stock; give objects.fridge a 'stock' or take none"
    assert refusal(configs) == f"configs/affordances/small.yaml:12: {said}"


def test_strictness_turns_a_warning_into_a_refusal(configs: Files) -> None:
    line = configs.spoil(MANIFEST, "effects: {hygiene: 0.6}", "effects: {hygiene: 0.0}") - 4
    said = f"configs/affordances/small.yaml:{line}: affordances.wash: changes nothing; give it effects, per_tick, meals or ingredients"
    assert said in check_affordances(configs.root / MANIFEST).warnings
    configs.spoil(
        MANIFEST,
        "    gives_meals: 1\n",
        "    gives_meals: 1\n  rest:\n    option: relax\n    object: bed\n    duration: 5\n    effects: {energy: 0.1}\n  dine:\n    option: eat_out\n    object: till\n    duration: 5\n    effects: {hunger: 0.1}\n",
    )
    assert "changes nothing" in refusal(configs, strict=True)


def test_an_option_that_nothing_serves_is_a_warning(configs: Files) -> None:
    warnings = check_affordances(configs.root / MANIFEST).warnings
    said = "affordances: no affordance serves the option 'relax'; add one"
    assert f"configs/affordances/small.yaml:7: {said}" in warnings


BAD_HOOKS = [
    ("{before: [share_mael]}", "before[0]: unknown hook 'share_mael'; did you mean 'share_meal'?"),
    ("{after: [pay_first]}", "after[0]: 'pay_first' has no place here; put it into before"),
    ("{fail: [waste, refund]}", "fail[1]: nothing has been paid yet; add 'pay_first' to before"),
    ("{after: ['os.system(1):x']}", "after[0]: found text 'os.system(1):x', expected a function such as my_town.meals:count"),
    ("{afer: [waste]}", "afer: unknown key 'afer'; did you mean 'after'?"),
]  # fmt: skip


@pytest.mark.parametrize(("hooks", "said"), BAD_HOOKS)
def test_a_hook_that_means_nothing_is_refused(configs: Files, hooks: str, said: str) -> None:
    line = configs.spoil(MANIFEST, "    effects: {hygiene: 0.6}", f"    hooks: {hooks}\n    effects: {{hygiene: 0.6}}")
    assert refusal(configs) == f"configs/affordances/small.yaml:{line}: affordances.wash.hooks.{said}"
