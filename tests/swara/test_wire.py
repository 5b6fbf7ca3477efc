"""Domain values to messages and back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from swara import frames, speech, wire
from swara.profile import load_profile
from swara.v1 import token_service_pb2

# Fields that cross the wire as float32 come back as float32; eighths are exact.
eighths = st.integers(0, 16).map(lambda value: value / 8)
some_sampling = st.builds(
    speech.Sampling,
    temperature=st.none() | eighths,
    top_k=st.none() | st.integers(0, 65_536),
    top_p=st.none() | eighths,
    repetition_penalty=st.none() | eighths,
)


@given(some_sampling)
def test_sampling_survives_the_wire_and_what_is_not_set_stays_unset(sampling: speech.Sampling) -> None:
    sent = wire.sampling_message(sampling).SerializeToString()
    assert wire.sampling_value(token_service_pb2.Sampling.FromString(sent)) == sampling


def test_frames_survive_the_wire() -> None:
    codes = np.arange(14, dtype=np.uint16).reshape(2, 7)
    message = wire.frames_message(5, codes)
    assert message.first_frame == 5
    np.testing.assert_array_equal(frames.unpack(message.codes, 4096), codes)


def test_every_admission_class_and_finish_reason_has_its_message_value() -> None:
    assert set(wire.CLASSES) == set(token_service_pb2.AdmissionClass.values())
    assert set(wire.CLASSES.values()) == set(speech.AdmissionClass)
    assert set(wire.REASONS) == set(speech.FinishReason)


def test_a_model_message_tells_what_the_profile_says() -> None:
    profile = load_profile(None)
    model = wire.model_message(profile, "abc", "native", deterministic=True, can_pause=True)
    assert (model.name, model.fingerprint, model.engine) == (profile.name, "abc", "native")
    assert [voice.name for voice in model.voices] == [voice.name for voice in profile.voices]
    assert (model.slots, model.samples_per_frame, model.sample_rate_hz) == (7, 2048, 24_000)
