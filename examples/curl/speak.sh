#!/usr/bin/env bash
# Speaks with curl alone: an MP3, a telephone's µ-law, and server-sent events. Needs a gateway; see README.md.
set -euo pipefail

url=${GATEWAY_URL:-http://127.0.0.1:8080}
folder=${1:-.}

ask() {
    curl --silent --show-error --fail-with-body --no-buffer \
        -H 'content-type: application/json' -H "authorization: Bearer ${GATEWAY_API_KEY:-none}" "$url/v1/audio/speech" "$@"
}

# MP3 is the default. To hear it while it comes: … | ffplay -nodisp -autoexit -
ask -d '{"input": "नमस्ते दोस्तों।", "seed": 7}' -o "$folder/speech.mp3"

# 8000 bytes a second, as telephone lines carry it.
ask -d '{"input": "नमस्ते दोस्तों।", "seed": 7, "response_format": "mulaw"}' -o "$folder/speech.ulaw"

# One event a line, audio in base64; the last one says why the speech ended.
ask -d '{"input": "नमस्ते दोस्तों।", "seed": 7, "stream_format": "sse", "response_format": "opus"}' | tail -n 2
