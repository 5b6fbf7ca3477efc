# A language model and its codec as an image that is mounted, not run (components/models-image). The build's context is the
# folder that holds language-model/ and codec/.
FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Swara models" \
      org.opencontainers.image.description="A speech language model and its codec, for Swara" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/swara-speech/swara" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="scratch" \
      dev.swara.sbom="none: weights only"
COPY language-model /language-model
COPY codec /codec
# Never run; a user all the same, for scanners.
USER 65532:65532
