#!/usr/bin/env bash
# Builds the gateway and CPU images where no registry can be reached, on a Debian that debootstrap makes: `make images`.
# Needs root and Debian's buildah, podman, runc and debootstrap. Anything in BUILD_FLAGS goes to `buildah build`.
# Exits with 3 where no container can run: inside another one that has no right to mount, say.
set -euo pipefail
impossible() {
    echo "images: nothing was built: $1" >&2
    exit 3
}
unshare --mount sh -c 'mount -t tmpfs none /mnt' || impossible "this place has no right to mount"
cd "$(dirname "$0")/../.."
work=$PWD/build/images
mkdir -p "$work"

cat > "$work/storage.conf" <<END
[storage]
driver = "vfs"
graphroot = "$work/storage"
runroot = "$work/run"
END
cat > "$work/containers.conf" <<END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "host"
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
END
export CONTAINERS_STORAGE_CONF=$work/storage.conf CONTAINERS_CONF=$work/containers.conf

base=localhost/swara/base:bookworm
if ! podman image exists "$base"; then
    debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$work/base" \
        "${MIRROR:-http://deb.debian.org/debian}"
    rm -rf "$work/base/var/lib/apt/lists/"* "$work/base/var/cache/apt/archives/"*
    tar --directory "$work/base" --create . | podman import - "$base"
    rm -rf "$work/base"
fi

podman run --rm --network=host "$base" true || impossible "podman cannot run a container here"

# Where this machine's pip gets its packages from, the build does, too: lent as volumes, which no layer keeps.
lent=()
settings=$(python3 -m pip config list 2>/dev/null \
    | sed -nE "s/^[^.]*\.(index-url|extra-index-url|find-links|trusted-host|cert)='(.*)'$/\1 = \2/p" | awk '!seen[$1]++')
if [ -n "$settings" ]; then
    printf '[global]\n%s\n' "$settings" > "$work/pip.conf"
    lent+=(--volume "$work/pip.conf:/etc/pip.conf:ro")
    for word in $settings; do
        path=$word
        # An index in a folder may link to files beside it.
        [[ $word != file://* ]] || path=$(dirname "${word#file://}")
        [[ $path != /* || ! -e $path ]] || lent+=(--volume "$path:$path:ro")
    done
fi

# What is committed, and nothing else: no model at work, no virtual environment.
context=$work/context
rm -rf "$context" && mkdir -p "$context"
git archive HEAD | tar --directory "$context" --extract
for image in ${*:-gateway cpu}; do
    began=$SECONDS
    # shellcheck disable=SC2086
    buildah build --format docker --isolation=chroot --network=host --layers=false "${lent[@]}" ${BUILD_FLAGS:-} \
        --build-arg BASE="$base" --build-arg REVISION="$(git rev-parse --short HEAD)" \
        --file "$context/deploy/docker/$image.Dockerfile" --tag "localhost/swara/$image:0.1.0" "$context"
    echo "$image: $((SECONDS - began)) s, $(podman image inspect --format '{{.Size}}' "localhost/swara/$image:0.1.0") bytes"
done

# They run as they are deployed: as nobody, on a read-only root. Ports that nothing else has by default.
run() {
    podman run --detach --replace --no-healthcheck --read-only --tmpfs /tmp --network=host --cap-drop=all --name "$@" >/dev/null
}
trap 'podman rm --force --time 5 swara-try-speech swara-try-gateway >/dev/null 2>&1' EXIT
run swara-try-speech --env SWARA_TOKEN_ADDRESS=127.0.0.1:61053 --env SWARA_TOKEN_METRICS_PORT=61103 \
    --env SWARA_AUDIO_ADDRESS=127.0.0.1:61052 --env SWARA_AUDIO_METRICS_PORT=61102 \
    --env SWARA_AUDIO_TOKEN_ADDRESS=127.0.0.1:61053 localhost/swara/cpu:0.1.0
podman exec swara-try-speech python -m swara.health --wait 180 127.0.0.1:61052 127.0.0.1:61053
run swara-try-gateway --env SWARA_GATEWAY_ADDRESS=127.0.0.1:61051 --env SWARA_GATEWAY_HTTP_ADDRESS=127.0.0.1:61080 \
    --env SWARA_GATEWAY_METRICS_PORT=61101 --env SWARA_GATEWAY_AUDIO_ADDRESS=127.0.0.1:61052 \
    --env SWARA_GATEWAY_ACCESS=open localhost/swara/gateway:0.1.0
podman exec swara-try-gateway python -m swara.health --wait 120 127.0.0.1:61051
podman exec swara-try-gateway swara say 'नमस्ते, आप कैसे हैं?' --address 127.0.0.1:61051 -o /tmp/hello.wav
