#!/usr/bin/env bash
# Writes into the Dockerfiles which digests their bases have now, at the registries they come from: `make pin-bases`.
# A version can be pushed again, a digest cannot. Needs skopeo; anything in SKOPEO_FLAGS goes to `skopeo inspect`.
#   pin.sh [FOLDER]    the folder with the Dockerfiles, this one by default
set -euo pipefail
cd "${1:-$(dirname "$0")}"

for base in $(sed -n 's/^ARG BASE=\([^@]*\).*/\1/p' ./*.Dockerfile | sort -u); do
    # The manifest as it lies there, which for a base of several architectures is their list.
    # shellcheck disable=SC2086
    digest=sha256:$(skopeo inspect --raw ${SKOPEO_FLAGS:-} "docker://$base" | sha256sum | cut -d' ' -f1)
    sed -i "s|^ARG BASE=$base.*|ARG BASE=$base@$digest|" ./*.Dockerfile
    echo "$base@$digest"
done
