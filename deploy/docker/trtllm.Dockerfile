# Token service with TensorRT-LLM, and audio service, on NVIDIA's release image. Not built here: no registry was at hand.
# The base is pinned by version; `make pin-bases` adds its digest.
ARG BASE=nvcr.io/nvidia/tensorrt-llm/release:1.3.0rc29

FROM ${BASE} AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY swara swara
COPY swara_client swara_client
COPY token_service token_service
COPY audio_service audio_service
COPY gateway gateway
# Beside NVIDIA's packages, not over them: their PyTorch and TensorRT-LLM stay as they are, and a build that would bring
# another PyTorch fails. Our newer gRPC and protobuf are seen by our processes alone.
RUN python3 -m venv --system-site-packages /opt/swara \
    && /opt/swara/bin/pip install --no-cache-dir '.[token,audio,interop,tracing]' \
    && ! ls -d /opt/swara/lib/python3.*/site-packages/torch
# What is inside, for scanners; the tool itself stays out of the image.
RUN python3 -m venv /opt/sbom \
    && /opt/sbom/bin/pip install --no-cache-dir cyclonedx-bom==7.5.0 \
    && /opt/sbom/bin/cyclonedx-py environment --output-file /opt/swara/sbom.cdx.json /opt/swara/bin/python

FROM ${BASE}
ARG BASE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Swara speech, TensorRT-LLM" \
      org.opencontainers.image.description="Token service (TensorRT-LLM) and audio service for NVIDIA GPUs" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/swara-speech/swara" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}" \
      dev.swara.sbom="/opt/swara/sbom.cdx.json"
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
# NVIDIA's entrypoint prints a banner and needs a writable root.
ENTRYPOINT []
CMD ["python", "-m", "swara.pair"]
