# The gateway: CPU only, no PyTorch.
# The base is pinned by version; `make pin-bases` adds its digest.
ARG BASE=docker.io/library/python:3.11.14-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY deploy/docker/constraints.txt constraints.txt
RUN python3 -m venv /opt/swara
COPY pyproject.toml README.md LICENSE ./
COPY swara swara
COPY swara_client swara_client
COPY token_service token_service
COPY audio_service audio_service
COPY gateway gateway
RUN /opt/swara/bin/pip install --no-cache-dir --constraint constraints.txt '.[gateway,tracing]'
# What is inside, for scanners; the tool itself stays out of the image.
RUN python3 -m venv /opt/sbom \
    && /opt/sbom/bin/pip install --no-cache-dir cyclonedx-bom==7.5.0 \
    && /opt/sbom/bin/cyclonedx-py environment --output-file /opt/swara/sbom.cdx.json /opt/swara/bin/python

FROM ${BASE}
ARG BASE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Swara gateway" \
      org.opencontainers.image.description="Text in, live speech out: gRPC, WebSocket, HTTP" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/swara-speech/swara" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}" \
      dev.swara.sbom="/opt/swara/sbom.cdx.json"
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libvo-aacenc0 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/swara /opt/swara
WORKDIR /opt/swara
# Nothing is written below /opt/swara: the root may be read-only.
ENV PATH=/opt/swara/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 50051 8080 9101
STOPSIGNAL SIGTERM
# For Docker and Compose; Kubernetes asks gRPC health itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=600s CMD ["python", "-m", "swara.health", "127.0.0.1:50051"]
CMD ["python", "-m", "gateway"]
