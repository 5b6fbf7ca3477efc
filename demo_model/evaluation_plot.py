"""The verdicts as pictures: understood or not, and how natural, sound by sound."""

from pathlib import Path

from matplotlib.figure import Figure

from demo_model.evaluate import Verdict

UNDERSTOOD_SCORE, NATURAL_SCORE = -1.75, 3.5


def plot(verdicts: dict[str, list[Verdict]], path: Path) -> None:
    """Right against best wrong score, and the spread of DistillMOS, for each named set of sounds."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    scores, moods = figure.subplots(1, 2)
    for name, sounds in verdicts.items():
        scores.plot([v.best_wrong for v in sounds], [v.score for v in sounds], "o", alpha=0.6, label=name)
    scores.axline((-2, -2), slope=1, color="grey", linestyle=":")
    scores.axhline(UNDERSTOOD_SCORE, color="grey", linestyle="--")
    scores.set(
        xlabel="best wrong sentence", ylabel="right sentence", title="Whisper base: mean log-probability a token"
    )
    scores.legend()
    moods.boxplot([[v.distillmos for v in sounds] for sounds in verdicts.values()], tick_labels=list(verdicts))
    moods.axhline(NATURAL_SCORE, color="grey", linestyle="--")
    moods.set(ylabel="DistillMOS", title="Naturalness", ylim=(1, 5))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
