"""The reward of a tick, term by term: what a life is worth, what learning is nudged by, and the guards around them."""

from townlet_core.kernels import kernel
from townlet_core.rewards.curiosity import forget_places, novelty
from townlet_core.rewards.shaping import shaping_reward
from townlet_core.rewards.social import in_distress
from townlet_core.world.employment import minute_of_day
from townlet_core.world.state import AGED_OUT, ENERGY, EVICTED, HUNGER, HYGIENE, KILLED, STAYS, UNEMPLOYED

SURVIVAL, NEEDS, WAGE, PUNCTUALITY, SOCIAL, CURIOSITY, SHAPING, TERMINAL, CLIP = range(9)


@kernel
def needs_penalty(rules, agent):  # type: ignore[no-untyped-def]
    """Return the homeostatic cost ``scale * sum(weight * (1 - need)^2)``, a drive reduction in Hull's sense."""
    scalars = rules.scalars[0]
    total = 0.0
    for k in range(3):
        lack = 1.0 - agent.needs[k]
        total += scalars.need_weight[k] * lack * lack
    return scalars.needs_scale * total


@kernel
def _is_gone_within(scalars, left, k, ticks, haste):  # type: ignore[no-untyped-def]
    """Say whether what is ``left`` of need ``k`` runs out within ``ticks`` of doing nothing."""
    return ticks >= 0 and left <= scalars.decay[k] * haste * ticks


@kernel
def is_dying(scalars, agent, haste):  # type: ignore[no-untyped-def]
    """Say whether an agent that does nothing starves, collapses or dies of exposure within the ticks without praise.

    Needs run down ``haste`` times as fast as usual now; without energy or hygiene one still lives for some ticks.
    """
    ticks = scalars.dying_ticks
    if _is_gone_within(scalars, agent.needs[HUNGER] - scalars.starvation, HUNGER, ticks, haste):
        return True
    spare = scalars.collapse - max(agent.empty_ticks[ENERGY], 1)  # the tick that empties it is the first of them
    if scalars.collapse > 0 and _is_gone_within(scalars, agent.needs[ENERGY], ENERGY, ticks - spare, haste):
        return True
    spare = scalars.exposure - max(agent.empty_ticks[HYGIENE], 1)
    return scalars.exposure > 0 and _is_gone_within(scalars, agent.needs[HYGIENE], HYGIENE, ticks - spare, haste)


@kernel
def is_despairing(town, rules, agent):  # type: ignore[no-untyped-def]
    """Say whether chronic need drives an agent out within the ticks without praise, before midnight forgets it."""
    scalars = rules.scalars[0]
    left = scalars.chronic_ticks - agent.low_ticks
    if scalars.chronic_ticks == 0 or left > scalars.dying_ticks:
        return False
    low = min(agent.needs[0], agent.needs[1], agent.needs[2]) < scalars.chronic_level
    return left <= 0 or (low and left <= scalars.day - minute_of_day(town, rules))


@kernel
def near_death(town, rules, agent, terminated):  # type: ignore[no-untyped-def]
    """Say whether the end of a life is so near, before or behind, that nothing earns praise.

    The ticks behind a death are those of whoever lives in the place of the dead by then.
    """
    common, scalars = town.common, rules.scalars[0]
    if terminated or common.tick < agent.no_praise_until:
        return True
    if not scalars.lifecycle:
        return False
    if common.mortality and is_dying(scalars, agent, common.event_haste):
        return True
    return is_despairing(town, rules, agent)


@kernel
def _guard(scalars, agent, value):  # type: ignore[no-untyped-def]
    """Clip a tick's value to +-clip_tick and the episode's sum to +-clip_episode. Returns the clipped value."""
    clipped = min(max(value, -scalars.clip_tick), scalars.clip_tick)
    headroom, footroom = scalars.clip_episode - agent.episode_reward, -scalars.clip_episode - agent.episode_reward
    return min(max(clipped, footroom), headroom)


@kernel
def terminal_penalty(scalars, reason):  # type: ignore[no-untyped-def]
    """Return what the end of a life costs: nothing where it was nobody's fault, more for losing home or living."""
    if reason in (STAYS, AGED_OUT, KILLED):
        return 0.0
    return scalars.eviction_penalty if reason in (EVICTED, UNEMPLOYED) else scalars.faint_penalty


@kernel
def _write_everyday(town, rules, i, terms):  # type: ignore[no-untyped-def]
    """Write the terms that the guards hold; returns their sum."""
    agent, scalars = town.agents[i], rules.scalars[0]
    terms[SURVIVAL] = scalars.survival_tick
    terms[NEEDS] = -needs_penalty(rules, agent)
    terms[WAGE] = scalars.wage_reward * agent.wage_signal
    terms[PUNCTUALITY] = scalars.punctuality_bonus * agent.punctuality_signal
    terms[SOCIAL] = agent.social_signal
    news = novelty(town, rules, i)
    terms[CURIOSITY] = 0.0 if in_distress(scalars, agent) else news
    return terms[SURVIVAL] + terms[NEEDS] + terms[WAGE] + terms[PUNCTUALITY] + terms[SOCIAL] + terms[CURIOSITY]


@kernel
def reward_tick(town, rules, i, reason, terms):  # type: ignore[no-untyped-def]
    """Write the terms [9] of the tick of agent ``i`` and return their sum; ``reason`` says why it leaves, if it does.

    The guards hold the everyday terms: near a death nothing is praised, then the tick is clipped, then the episode.
    The terminal penalty stands outside, for a clip that swallows it would hide death; so does shaping, whose sum over a
    life is only fixed as long as nothing is cut from it.
    """
    agent, scalars, leaves = town.agents[i], rules.scalars[0], reason != STAYS
    everyday = _write_everyday(town, rules, i, terms)
    near = near_death(town, rules, agent, leaves)
    guarded = _guard(scalars, agent, min(everyday, 0.0) if near else everyday)
    terms[SHAPING] = shaping_reward(scalars, agent, leaves)
    terms[TERMINAL] = terminal_penalty(scalars, reason)
    terms[CLIP] = guarded - everyday
    agent.episode_reward += guarded
    agent.clipped_ticks += guarded != everyday
    reward = guarded + terms[SHAPING] + terms[TERMINAL]
    agent.reward_sum += reward
    return reward


@kernel
def end_rewards(town, rules, i):  # type: ignore[no-untyped-def]
    """Close the account of agent ``i``, who has left: nothing is praised for a while in its place."""
    town.agents[i].no_praise_until = town.common.tick + rules.scalars[0].dying_ticks
    forget_places(town, i)
