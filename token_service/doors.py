"""The gRPC services in front of an engine: ours, ORCA's load, and vLLM's protocol where its package is installed."""

import logging
from functools import partial
from importlib.util import find_spec

import grpc

from swara.orca import LoadReport, OpenRca
from swara.v1 import token_service_pb2, token_service_pb2_grpc
from token_service.checkpoint import read_config
from token_service.engines.base import Engine, EngineSetup
from token_service.service import TokenService

log = logging.getLogger(__name__)
SERVICE_NAME = token_service_pb2.DESCRIPTOR.services_by_name["TokenService"].full_name


def add_doors(server: grpc.aio.Server, service: TokenService, engine: Engine, setup: EngineSetup) -> list[str]:
    """Adds every door that this installation has; their full names, for health and reflection."""
    token_service_pb2_grpc.add_TokenServiceServicer_to_server(service, server)
    OpenRca(partial(_load_report, engine)).add_to(server)
    if find_spec("smg_grpc_proto") is None:
        log.info("vLLM's protocol is not served: it needs pip install '.[interop]' in Swara's folder")
        return [SERVICE_NAME]
    return [SERVICE_NAME, _add_vllm_door(server, engine, setup)]


def _add_vllm_door(server: grpc.aio.Server, engine: Engine, setup: EngineSetup) -> str:
    from smg_grpc_proto.generated.vllm_engine_pb2_grpc import add_VllmEngineServicer_to_server

    from token_service import vllm_door

    config = read_config(setup.folder)
    # An engine directory keeps the shape of its model a level deeper.
    vocabulary = config.get("pretrained_config", config)["vocab_size"]
    door = vllm_door.VllmDoor(setup.profile, setup.settings.model, vocabulary, engine)
    add_VllmEngineServicer_to_server(door, server)
    return str(vllm_door.SERVICE_NAME)


def _load_report(engine: Engine) -> LoadReport:
    load = engine.load()
    return LoadReport(load.running_streams, load.capacity_streams, load.slack_seconds)
