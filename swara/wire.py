"""Domain values to messages and back: the translations that more than one service needs."""

from swara import frames, speech
from swara.profile import Profile
from swara.v1 import codes_pb2, token_service_pb2

CLASSES = {
    token_service_pb2.ADMISSION_CLASS_UNSPECIFIED: speech.AdmissionClass.NEW,
    token_service_pb2.ADMISSION_CLASS_NEW: speech.AdmissionClass.NEW,
    token_service_pb2.ADMISSION_CLASS_CONTINUING: speech.AdmissionClass.CONTINUING,
    token_service_pb2.ADMISSION_CLASS_RESUMED: speech.AdmissionClass.RESUMED,
}
PRIORITIES = {
    token_service_pb2.PRIORITY_UNSPECIFIED: speech.Priority.INTERACTIVE,
    token_service_pb2.PRIORITY_INTERACTIVE: speech.Priority.INTERACTIVE,
    token_service_pb2.PRIORITY_BATCH: speech.Priority.BATCH,
}
REASONS = {
    speech.FinishReason.END_OF_SPEECH: token_service_pb2.FINISH_REASON_END_OF_SPEECH,
    speech.FinishReason.MAX_FRAMES: token_service_pb2.FINISH_REASON_MAX_FRAMES,
    speech.FinishReason.RUNAWAY: token_service_pb2.FINISH_REASON_RUNAWAY,
    speech.FinishReason.CANCELLED: token_service_pb2.FINISH_REASON_CANCELLED,
}
REASON_VALUES = {number: value for value, number in REASONS.items()}


def frames_message(first_frame: int, codes: frames.Codes) -> codes_pb2.Frames:
    """Codes [F, 7] as a message."""
    return codes_pb2.Frames(first_frame=first_frame, codes=frames.pack(codes))


def sampling_value(message: token_service_pb2.Sampling) -> speech.Sampling:
    """A Sampling message as a value; fields that are not set are None."""
    return speech.Sampling(
        **{name: getattr(message, name) for name in vars(speech.Sampling()) if message.HasField(name)}
    )


def sampling_message(sampling: speech.Sampling) -> token_service_pb2.Sampling:
    """A Sampling value as a message; None stays unset."""
    return token_service_pb2.Sampling(**{name: value for name, value in vars(sampling).items() if value is not None})


def model_message(
    profile: Profile, fingerprint: str, engine: str, deterministic: bool, can_pause: bool
) -> token_service_pb2.Model:
    """What callers may know about a model."""
    return token_service_pb2.Model(
        name=profile.name,
        fingerprint=fingerprint,
        voices=[token_service_pb2.Voice(**vars(voice)) for voice in profile.voices],
        languages=profile.languages,
        slots=profile.slots,
        codebook_size=profile.codebook_size,
        sample_rate_hz=profile.sample_rate_hz,
        samples_per_frame=profile.samples_per_frame,
        max_text_characters=profile.max_text_characters,
        sampling=sampling_message(profile.sampling),
        engine=engine,
        deterministic=deterministic,
        can_pause=can_pause,
        scripts=profile.scripts,
        emotion_tags=profile.emotion_tags,
    )
