# RumiAI. `make` lists what there is; every target sets up what it needs.
.DEFAULT_GOAL := help
SHELL := bash

OUT ?= out
VIDEO ?=
ARGS ?=
BIN := .venv/bin

.PHONY: help setup run serve test fuzz soak check lint typecheck bench bench-captions bench-caption-clips bench-real bench-speech bench-scaling bench-stages bench-metrics bench-service bench-gpu house clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-20s %s\n", $$1, $$2}'
	@echo
	@echo '  make run VIDEO="a.mp4 folder/" OUT=results ARGS="--workers 2"'

setup:  ## Make .venv ready: packages, system libraries (as root), model weights
	@scripts/setup.sh

run: setup  ## Analyse VIDEO=file|folder|"glob" (without it: a demo clip built on the spot) into OUT=out
	@if [ -n "$(VIDEO)" ]; then $(BIN)/rumiai-orch submit $(VIDEO) --out "$(OUT)" $(ARGS); \
	else $(BIN)/rumiai-orch demo "$(OUT)/demo.mp4" && $(BIN)/rumiai-orch submit "$(OUT)/demo.mp4" --out "$(OUT)" $(ARGS); fi

serve: setup  ## Run the model server until Ctrl-C
	@$(BIN)/rumiai-triton serve $(ARGS)

test: setup  ## Run all tests
	@$(BIN)/python -m pytest $(ARGS)

soak: setup  ## Seeded kills of a run and its server, judged by an undisturbed one: ARGS="--clips 40 --kills 20 --through service"
	@$(BIN)/python -m tests.soak $(ARGS)

fuzz: setup  ## Mutated files, odd calls and wrong requests: ARGS="--seed 7 --files 5000"
	@$(BIN)/python -m tests.fuzz $(ARGS)

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

typecheck: setup
	@$(BIN)/mypy

check: lint typecheck test  ## What a commit must pass: ruff, mypy, import boundaries, tests

bench: setup  ## The naive flow, the strong flow and the pipeline side by side on the bench clip
	@$(BIN)/python bench/compare.py $(ARGS)

bench-captions: setup  ## Drawn captions that OCR reads, by engine
	@$(BIN)/python bench/captions.py $(ARGS)

bench-caption-clips: setup  ## Captions of whole clips, the pipeline beside EasyOCR on every frame
	@$(BIN)/python bench/caption_clips.py $(ARGS)

bench-real: setup  ## CLIPS=folder: real clips held against the truth files beside them (bench/truth.py says how)
	@$(BIN)/python bench/real.py "$(or $(CLIPS),$(error name the folder: make bench-real CLIPS=folder))" $(ARGS)

bench-speech: setup  ## Generated voices, music, noise: word errors, word times, pauses, invented words, tempos
	@$(BIN)/python bench/speech.py $(ARGS)

bench-text-kinds: setup  ## Texts laid over the picture against writing in the scene, by the pipeline
	@$(BIN)/python bench/text_kinds.py $(ARGS)

bench-scaling: setup  ## CPU and memory for 1, 5 and 20 clips, and for 30 s against 180 s of video
	@$(BIN)/python bench/scaling.py $(ARGS)

bench-stages: setup  ## Each stage alone, served and in the pipeline: which one limits
	@$(BIN)/python bench/stages.py $(ARGS)

bench-metrics: setup  ## The seven families and recompute, to three hours of video
	@$(BIN)/python bench/metrics.py $(ARGS)

bench-service: setup  ## 1,000 submissions over 200 connections while the workers are busy: time to accept, none lost
	@$(BIN)/python bench/service.py $(ARGS)

bench-gpu: setup  ## The engines on a CUDA device (status 3 without one)
	@$(BIN)/python bench/gpu.py $(ARGS)

house: setup  ## How the code is cut: import circles, tables, untyped seams, lengths
	@$(BIN)/python scripts/house.py

clean:  ## Remove what was built and measured here; weights and .venv stay
	@rm -rf out dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
