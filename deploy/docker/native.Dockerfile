# Token service with Swara's own engine, and audio service, for NVIDIA GPUs. Not built here: its PyTorch has 5 GB.
# The base is pinned by version; `make pin-bases` adds its digest.
ARG BASE=docker.io/library/python:3.11.14-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY deploy/docker/constraints.txt constraints.txt
# PyTorch first and by itself: it is most of the image, and this layer seldom changes.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cu130
RUN python3 -m venv /opt/swara \
    && /opt/swara/bin/pip install --no-cache-dir --index-url "${TORCH_INDEX}" torch==2.13.0
COPY pyproject.toml README.md LICENSE ./
COPY swara swara
COPY swara_client swara_client
COPY token_service token_service
COPY audio_service audio_service
COPY gateway gateway
RUN /opt/swara/bin/pip install --no-cache-dir --constraint constraints.txt '.[token,audio,interop,tracing]'
# What is inside, for scanners; the tool itself stays out of the image.
RUN python3 -m venv /opt/sbom \
    && /opt/sbom/bin/pip install --no-cache-dir cyclonedx-bom==7.5.0 \
    && /opt/sbom/bin/cyclonedx-py environment --output-file /opt/swara/sbom.cdx.json /opt/swara/bin/python

FROM ${BASE}
ARG BASE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Swara speech, native engine on GPUs" \
      org.opencontainers.image.description="Token service (native engine) and audio service for NVIDIA GPUs" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/swara-speech/swara" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}" \
      dev.swara.sbom="/opt/swara/sbom.cdx.json"
# Triton compiles a launcher in C for every kernel.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/swara /opt/swara
WORKDIR /opt/swara
# Nothing is written below /opt/swara: the root may be read-only.
ENV PATH=/opt/swara/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 50052 50053 9102 9103
STOPSIGNAL SIGTERM
# For Docker and Compose; Kubernetes asks gRPC health itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=600s CMD ["python", "-m", "swara.health", "127.0.0.1:50053", "127.0.0.1:50052"]
CMD ["python", "-m", "swara.pair"]
