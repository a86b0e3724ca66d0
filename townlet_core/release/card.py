"""The card of a release: what a person reads first."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from townlet_core.release.drawing import markdown_table
from townlet_core.stability import CANDIDATE, CURRENT, Decision, Evaluation, estimate
from townlet_core.stability.forgetting import GoldenReport

CONFIDENCE = 0.95
FIGURES = {
    "survival": "share of lives that did not end badly",
    "needs_ok_share": "share of time with all needs above 0.3",
    "attendance": "share of working time attended",
    "return": "sum of rewards per citizen",
    "conflicts": "how often citizens get in each other's way, per citizen and day",
    "rivalry": "what that leaves in a tie, from 0 to 1",
}
USE = """\
```python
from townlet_core.config import embedded_config
from townlet_core.core import Simulation
from townlet_core.policy.checkpoint import load_checkpoint

with open("content/config/{scenario}.json") as text:
    town = Simulation(embedded_config(text.read(), "release"), towns=4, seed=1)
policy = load_checkpoint("content/policy").enter(town)
town.reset()
for tick in range(1440):
    town.step(policy.act(town))
print(town.kpis()["survival"])
```"""
CONTENTS = (
    ("policy/", "the weights (safetensors) and what they mean: architecture, observation layout, actions (JSON)"),
    ("config/", "every scenario with its map and affordances, the curation rules, the training profile, the plan"),
    ("dataset/", "the manifest of the dataset, and the audit of every byte it rests on"),
    ("telemetry/", "what life and training looked like"),
    (
        "evaluation/",
        "the report, its plots, and tables (Parquet): each town and choice that was lived, golden rollouts",
    ),
    ("decision/", "the decision, every criterion, the evidence, golden rollouts, drill, and how often the gate errs"),
    ("lineage.json", "every input by digest, down to the captured shards and their seeds"),
    ("environment.lock", "the Python and the package versions it was made with"),
)


class Subject(NamedTuple):
    """What a card is about: the decision, its evaluation, the dataset's manifest, the candidate's record, and tables.

    `reliability` says in markdown tables how often the gate errs; `golden` what the candidate still can do.
    """

    decision: Decision
    evaluation: Evaluation
    manifest: Mapping[str, Any]
    candidate: Mapping[str, Any]
    reliability: str
    golden: GoldenReport

    @property
    def report(self) -> Mapping[str, Any]:
        """The clone's report."""
        report: Mapping[str, Any] = self.candidate["report"]
        return report

    @property
    def improved(self) -> Mapping[str, Any] | None:
        """What the second stage did, where it is what ships."""
        found: Mapping[str, Any] | None = self.candidate["improvement"]
        return found if self.candidate["stage"] == "improved" else None


def write_card(subject: Subject) -> str:
    """The card as markdown; it says nothing about when, where or by which run the release was made."""
    parts = (_head, _verdict, _living, _reliability, _learning, _origin, _usage, _limits, _content)
    return "\n\n".join(part(subject) for part in parts) + "\n"


def figures_table(evaluation: Evaluation) -> str:
    """The figures that decide, as a markdown table: one row per scenario and figure, a column per contender."""
    rows = [
        [scenario, figure, *(interval_text(evaluation, scenario, policy, figure) for policy in evaluation.policies)]
        for scenario in sorted(evaluation.scenarios)
        for figure in FIGURES
    ]
    return markdown_table(["scenario", "figure", *evaluation.policies], rows)


def interval_text(evaluation: Evaluation, scenario: str, policy: str, figure: str) -> str:
    """A mean over towns with its 95 % interval, or that it was not measured."""
    found = estimate(evaluation, scenario, policy, figure, CONFIDENCE)
    return "not measured" if found is None else f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _head(subject: Subject) -> str:
    decision, report = subject.decision, subject.report
    scenarios = ", ".join(f"`{name}`" for name in sorted(subject.evaluation.scenarios))
    return (
        f"# Townlet release: policy `{decision.candidate_digest[:12]}`\n\n"
        f"**{decision.verdict}** under plan `{decision.plan}`. A policy for the citizens of a small simulated town, "
        f"{_making(subject)} On decisions of episodes it never saw the clone chooses as the teacher does in "
        f"**{report['accuracy']:.1%}** of cases (always guessing the commonest one: {report['majority_share']:.1%}). "
        f"What is released was then let loose in {_towns(subject.evaluation)} unseen towns of each scenario "
        f"({scenarios}) for {_days(subject.evaluation)}, beside {_rivals(subject.evaluation)} in the same towns."
    )


def _making(subject: Subject) -> str:
    found = subject.improved
    if found is None:
        return "cloned from a scripted teacher."
    released = f"update {found['update']} of {found['updates']} is released."
    if found["mode"] == "replay":
        rows = f"{found['rows']['stored']:,} decisions, counted by what came of each"
        return f"cloned from a scripted teacher and then improved by the recorded days once more: {rows}; {released}"
    return (
        f"cloned from a scripted teacher and then improved by its own experience: {found['decisions']:,} decisions in "
        f"{found['agent_steps']:,} agent-steps{_company(found)}, of which {released}"
    )


def _company(found: Mapping[str, Any]) -> str:
    """Whose decisions an improvement learnt from or lived beside, other than its own."""
    rows = found["rows"]
    if rows["stored"]:
        return f", with {rows['stored']:,} recorded decisions beside them"
    return f", beside a teacher who took {rows['scripted']:,}" if rows["scripted"] else ""


def _verdict(subject: Subject) -> str:
    decision = subject.decision
    counts = [str(criterion.verdict) for criterion in decision.criteria]
    rows = [
        ("verdict", decision.verdict),
        ("criteria passed", f"{counts.count('pass')} of {len(counts)}"),
        ("plan", f"{decision.plan}, digest `{decision.gates_digest[:12]}`"),
        ("release it was compared with", _baseline(decision)),
        ("golden rollouts", _golden(subject.golden)),
        ("training profile", subject.candidate["profile"]["profile"]),
    ]
    reasons = "\n".join(f"- {reason}" for reason in decision.reasons)
    return "## The decision\n\n" + markdown_table(["what", "value"], rows) + (f"\n\n{reasons}" if reasons else "")


def _golden(golden: GoldenReport) -> str:
    kept = len(golden.criteria) - len(golden.broken)
    return f"{kept} of {len(golden.criteria)} figures within their band; the bar was set by {golden.bar}"


def _baseline(decision: Decision) -> str:
    if decision.baseline_digest is None:
        return "none; this is a first release"
    replaced = f"`{decision.baseline_digest[:12]}`"
    if decision.incompatible is None:
        return replaced
    return f"none; the release it replaces, {replaced}, could not be, since its layout differs: {decision.incompatible}"


def _living(subject: Subject) -> str:
    meanings = "; ".join(f"*{name}*: {meaning}" for name, meaning in FIGURES.items())
    return (
        "## How it lives\n\nMeans over towns with 95 % intervals. " + meanings + ".\n\n"
        f"{figures_table(subject.evaluation)}\n\n"
        "Differences are taken town by town; the gate asks that the whole interval stays clear of the bound.\n\n"
        "![differences and their bounds](evaluation/guard_rails.png)"
    )


def _reliability(subject: Subject) -> str:
    return (
        "## How far the decision can be trusted\n\nPolicies of known quality lived in the same scenarios, and trials "
        "drawn from their towns went through the gate under this plan. *Slips* is the share of decisions in which a "
        "policy takes a random legal option; *asked for* says whether the candidate had to be shown better than the "
        f"release it would replace, or no worse.\n\n{subject.reliability}"
    )


def _learning(subject: Subject) -> str:
    report = subject.report
    rows = [
        (name, f"{score['share']:.1%}", _percent(score["recall"]), _percent(score["precision"]))
        for name, score in report["actions"].items()
        if score["decisions"]
    ]
    return (
        f"## What the clone learnt\n\n{report['train_decisions']} decisions to learn from, "
        f"{report['validation_decisions']} that said when to stop, {report['held_decisions']} of other episodes to "
        "judge by. A tick that leaves no choice is no decision and counts nowhere.\n\n"
        "![accuracy by scenario](evaluation/accuracy.png)\n\n"
        + markdown_table(["action", "share of decisions", "recall", "precision"], rows)
    )


def _origin(subject: Subject) -> str:
    manifest = subject.manifest
    quality = manifest["quality"]
    days = sorted({shard["date"] for shard in manifest["shards"]})
    span = f"on {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]} ({len(days)} days)"
    rows = [
        (name, figures["episodes"], figures["rejected_episodes"], figures["rows"], figures["decisions"])
        for name, figures in sorted(quality["scenarios"].items())
    ]
    table = markdown_table(["scenario", "episodes", "rejected", "agent-steps", "decisions"], rows)
    title = "## What it was trained on"
    return f"{title}\n\nDataset `{manifest['id'][:12]}`, captured {span}. {_rejected(quality)}\n\n{table}"


def _rejected(quality: Mapping[str, Any]) -> str:
    count = quality["rejected_episodes"]
    if not count:
        return "An episode is one town; none was rejected."
    were = "1 was" if count == 1 else f"{count} were"
    return f"An episode is one town; {were} rejected, each with its reasons in `dataset/manifest.json`."


def _usage(subject: Subject) -> str:
    scenario = sorted(subject.evaluation.scenarios)[0]
    return (
        "## How to verify it\n\n```\ntownlet release verify .\ntownlet audit lineage .\n```\n\n"
        "The first needs nothing but this folder and names every file that is not as it was. The second follows every "
        "input down to the captured shards and checks those that are on your disk.\n\n"
        "## How to use it\n\nFrom the folder that holds `content/`, with the package installed:\n\n"
        + USE.replace("{scenario}", scenario)
    )


def _limits(subject: Subject) -> str:
    return (
        "## What it is not\n\n"
        f"{_nature(subject)} It acts only in towns with the observation layout in "
        "`policy/policy.json` and says so otherwise. The figures hold for these scenarios and this length of time; "
        "nothing is claimed for others."
    )


def _nature(subject: Subject) -> str:
    if subject.improved is None:
        return "It imitates; where the teacher is wrong, so is it."
    return "It seeks the reward of these towns; what the reward does not tell, it does not know."


def _content(subject: Subject) -> str:
    return "## What is in `content/`\n\n" + markdown_table(["path", "what"], CONTENTS)


def _towns(evaluation: Evaluation) -> int:
    return min(evaluation.towns_of(scenario) for scenario in evaluation.scenarios)


def _days(evaluation: Evaluation) -> str:
    return "one day" if evaluation.days == 1 else f"{evaluation.days} days"


def _rivals(evaluation: Evaluation) -> str:
    names = {CURRENT: "the release it would replace"}
    others = [names.get(name, f"the {name}") for name in evaluation.policies if name != CANDIDATE]
    return " and ".join(others)


def _percent(share: float | None) -> str:
    return "never chosen" if share is None else f"{share:.1%}"
