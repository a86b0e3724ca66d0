"""The reward of a tick, term by term: homeostasis, survival, work, punctuality and the terminal penalty."""

from townlet_core.kernels import kernel
from townlet_core.world.state import HUNGER

SURVIVAL, NEEDS, WAGE, PUNCTUALITY, SOCIAL, TERMINAL, CLIP = range(7)


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
def is_dying(scalars, agent):  # type: ignore[no-untyped-def]
    """Say whether an agent that does nothing will starve within the ticks before a death that earn no praise."""
    return agent.needs[HUNGER] - scalars.starvation <= scalars.decay[HUNGER] * scalars.dying_ticks


@kernel
def _guard(scalars, agent, value):  # type: ignore[no-untyped-def]
    """Clip a tick's value to +-clip_tick and the episode's sum to +-clip_episode. Returns the clipped value."""
    clipped = min(max(value, -scalars.clip_tick), scalars.clip_tick)
    headroom, footroom = scalars.clip_episode - agent.episode_reward, -scalars.clip_episode - agent.episode_reward
    return min(max(clipped, footroom), headroom)


@kernel
def reward_tick(rules, agent, terminated, terms):  # type: ignore[no-untyped-def]
    """Write the terms [7] of one agent's tick and return their sum.

    The per-tick clip applies to everyday terms; the terminal penalty stands outside it, for a clip that swallows it
    would hide death. The ticks shortly before a death, and the one that brings it, earn nothing positive.
    """
    scalars = rules.scalars[0]
    terms[SURVIVAL] = scalars.survival_tick
    terms[NEEDS] = -needs_penalty(rules, agent)
    terms[WAGE] = scalars.wage_reward * agent.wage_signal
    terms[PUNCTUALITY] = scalars.punctuality_bonus * agent.punctuality_signal
    terms[SOCIAL] = agent.social_signal
    everyday = terms[SURVIVAL] + terms[NEEDS] + terms[WAGE] + terms[PUNCTUALITY] + terms[SOCIAL]
    guarded = _guard(scalars, agent, min(everyday, 0.0) if is_dying(scalars, agent) else everyday)
    terms[TERMINAL] = scalars.faint_penalty if terminated else 0.0
    terms[CLIP] = guarded - everyday
    agent.episode_reward += guarded
    agent.clipped_ticks += guarded != everyday
    reward = guarded + terms[TERMINAL]
    agent.reward_sum += reward
    return reward
