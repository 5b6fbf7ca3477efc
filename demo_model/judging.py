"""The whole evaluation: codec alone, Hindi, English, each on sentences no training step has seen."""

import json
from dataclasses import dataclass
from pathlib import Path

from demo_model import evaluate, resynthesis, speaking
from demo_model.evaluate import Figures, Verdict
from demo_model.evaluation_plot import plot
from demo_model.heldout import ENGLISH_LIST, Sentence, read_heldout
from demo_model.whisper import Judge


@dataclass
class Evaluation:
    """Where everything lies and how much of it is judged; `verdicts` gathers what `plot` shows."""

    work: Path
    weights: Path
    teacher: Path
    count: int
    seeds: int
    verdicts: dict[str, list[Verdict]]

    @property
    def folder(self) -> Path:
        """Where the sounds go."""
        return self.work / "evaluation"

    def codec(self, judge: Judge) -> Figures:
        """The teacher's recordings, and the same through the codec: how much it costs in understanding and in sound."""
        sentences = read_heldout()
        chosen, recordings = sentences[: self.count], self.folder / "teacher"
        if (self.teacher / "transcripts.tsv").exists():
            resynthesis.gather(self.teacher, chosen, recordings)
        else:
            resynthesis.speak_to_teacher(self.work, chosen, recordings)
        resynthesis.resynthesise(self.weights / "codec", recordings, self.folder / "codec")
        found = {}
        for name in ("teacher", "codec"):
            self.verdicts[name] = list(evaluate.judge_folder(judge, self.folder / name, sentences, self.count))
            found[name] = evaluate.summary(self.verdicts[name])
        gap = round(found["teacher"]["score"] - found["codec"]["score"], 3)
        return found["codec"] | {"score_gap": gap, "teacher": found["teacher"]}

    def hindi(self, judge: Judge, folder: Path | None = None) -> Figures:
        """The language model and the codec together; `folder` has the sounds where somebody else made them."""
        sentences, spoken = read_heldout(), {}
        if folder is None:
            folder = self.folder / "hindi"
            spoken = speaking.speak_locally(self.weights, folder, sentences[: self.count], self.seeds)
        self.verdicts["hindi"] = list(evaluate.judge_folder(judge, folder, sentences, self.count, self.seeds))
        evaluate.print_table(self.verdicts["hindi"])
        return spoken | evaluate.summary(self.verdicts["hindi"])

    def english(self) -> Figures:
        """Word errors in English; null where the model has no English voice."""
        sentences = english_sentences(self.weights)[: self.count]
        if not sentences:
            return {"wer": None, "why": "the model has no English voice"}
        spoken = speaking.speak_locally(self.weights, self.folder / "english", sentences, 1)
        return spoken | {"wer": evaluate.word_error_rate(self.folder / "english", sentences)}

    def draw(self) -> Path:
        """Write the pictures."""
        plot(self.verdicts, self.folder / "evaluation.png")
        return self.folder / "evaluation.png"


def english_sentences(weights: Path) -> list[Sentence]:
    """The English list, if the profile names a voice that can read it."""
    profile = json.loads((weights / "language_model" / "profile.json").read_text(encoding="utf-8"))
    able = {voice["name"] for voice in profile["voices"] if voice["language"] == "en"}
    return [sentence for sentence in read_heldout(ENGLISH_LIST) if sentence.voice in able]
