"""From a request in vLLM's protocol to what our engines take: ids to prompt and codes, tokens to frames."""

import secrets
from collections.abc import Iterable

import numpy as np
from smg_grpc_proto.generated import vllm_engine_pb2 as pb

from swara.errors import InvalidRequest
from swara.frames import SLOTS, Codes
from swara.profile import Profile
from swara.speech import AdmissionClass, Priority, Sampling
from token_service.engines.base import GenerationRequest
from token_service.grammar import SlotGrammar

# How a token service calls itself in this protocol.
SERVER_TYPE = "swara"
# What the protocol's messages have no field for travels in gRPC's metadata; a stock server does not look at it.
CLASS_HEADER = "swara-admission-class"
PRIORITY_HEADER = "swara-priority"
# What vLLM can do and speech has no use for; to leave one out silently would be worse than to refuse.
FOREIGN = (
    "min_p", "frequency_penalty", "presence_penalty", "stop", "logit_bias", "logprobs", "prompt_logprobs",
    "truncate_prompt_tokens", "json_schema", "regex", "grammar", "structural_tag", "json_object", "choice",
)  # fmt: skip


CLASSES: dict[object, AdmissionClass] = {one.value: one for one in AdmissionClass}
PRIORITIES: dict[object, Priority] = {one.value: one for one in Priority}

Metadata = Iterable[tuple[str, str | bytes]]


def metadata_of(admission_class: AdmissionClass, priority: Priority) -> tuple[tuple[str, str], ...]:
    """What tells our own door, behind a router too, which work is never refused and which goes first."""
    return (CLASS_HEADER, admission_class.value), (PRIORITY_HEADER, priority.value)


def generation(
    request: pb.GenerateRequest, metadata: Metadata, profile: Profile, context_tokens: int
) -> GenerationRequest:
    """The order for an engine; raises InvalidRequest for anything that our engines cannot do."""
    asked = request.sampling_params
    if request.WhichOneof("input") != "tokenized":
        raise InvalidRequest("this door takes token ids and no text; swara.v1.TokenService takes texts")
    if used := {field.name for field, _ in asked.ListFields()} & {*FOREIGN} or (asked.n > 1 and {"n"}):
        raise InvalidRequest(f"sampling parameters that speech does not have: {', '.join(sorted(used))}")
    if set(asked.stop_token_ids) - {profile.end_of_speech_id}:
        raise InvalidRequest(f"speech stops at token {profile.end_of_speech_id} and at no other")
    grammar = SlotGrammar(profile)
    prompt_ids, resume = _parted(list(request.tokenized.input_ids), grammar)
    room_tokens = context_tokens - len(request.tokenized.input_ids)
    told = dict(metadata)
    new_frames = (asked.max_tokens if asked.HasField("max_tokens") else room_tokens) // SLOTS
    if new_frames < 1:
        raise InvalidRequest(f"there is no room for a frame, which is {SLOTS} tokens")
    return GenerationRequest(
        request_id=request.request_id,
        prompt_ids=prompt_ids,
        sampling=_sampling(asked).checked().with_defaults(profile.sampling),
        seed=asked.seed & 0xFFFF_FFFF if asked.HasField("seed") else secrets.randbits(32),
        max_frames=len(resume) + new_frames,
        min_frames=len(resume) + min(new_frames, -(-asked.min_tokens // SLOTS)),
        ignore_end=asked.ignore_eos,
        resume=resume,
        admission_class=CLASSES.get(told.get(CLASS_HEADER), AdmissionClass.NEW),
        priority=PRIORITIES.get(told.get(PRIORITY_HEADER), Priority.INTERACTIVE),
    )


def _sampling(asked: pb.SamplingParams) -> Sampling:
    """The values that are set; 0 stands for none where the protocol has no other way to say it."""
    return Sampling(
        temperature=asked.temperature if asked.HasField("temperature") else None,
        top_k=asked.top_k or None,
        top_p=asked.top_p or None,
        repetition_penalty=asked.repetition_penalty or None,
    )


def _parted(ids: list[int], grammar: SlotGrammar) -> tuple[tuple[int, ...], Codes]:
    """The prompt, and the codes [F, 7] after it that a stream is resumed from."""
    first, codes = grammar.first_id(0), SLOTS * grammar.codebook_size
    start = len(ids)
    while start and 0 <= ids[start - 1] - first < codes:
        start -= 1
    places = np.array(ids[start:], np.int64) - first
    if len(places) % SLOTS:
        raise InvalidRequest(f"the ids end within a frame: {len(places)} codes are no whole frames of {SLOTS}")
    frames = places.reshape(-1, SLOTS)
    if (frames // grammar.codebook_size != np.arange(SLOTS)).any():
        raise InvalidRequest("the ids end with codes that are not in the order of their slots")
    return tuple(ids[:start]), (frames % grammar.codebook_size).astype(np.uint16)
