# Two commands matter: `make run` and `make test`. Both set up all that is missing first.

ASSETS := $(or $(TOLLFREE_CACHE_DIR),$(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME)/tollfree,$(HOME)/.cache/tollfree))
# pingora's build needs cmake; the one fetched by `setup` serves where the machine has none.
export PATH := $(PATH):$(ASSETS)/cmake/bin
CARGO ?= cargo
PYTHON ?= python3

.PHONY: run test setup build bench fmt help verifier-report free-share eviction crash-rounds scale train-verifier

help: ## Lists the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

run: build ## Sets up, builds and serves on 127.0.0.1:8080.
	@target/release/tollfree serve

build: setup ## Builds the release binaries.
	$(CARGO) build --release --locked -p tollfree

setup: ## Fetches ONNX Runtime, the models and cmake into the assets folder, once.
	@$(PYTHON) deploy/setup/fetch.py

test: ## Runs every check and test; prints the seconds of each stage.
	@$(PYTHON) .ci/stages.py

bench: build ## Measures the speed goals and prints a table.
	$(CARGO) build --release --locked -p tollfree-bench
	$(PYTHON) benches/first_light.py

verifier-report: build ## Measures what the semantic tier serves on the evaluation data, if it is beside the checkout.
	$(PYTHON) benches/verifier.py

free-share: build ## Replays a stream of goals and prints which share was answered for free, and how much of it wrongly.
	$(PYTHON) benches/free_share.py

scale: build ## Measures the cache from a thousand entries to a million (three quarters of an hour, 5 GB of memory, 12 GB of disk).
	$(CARGO) build --release --locked -p tollfree-bench
	$(PYTHON) benches/scale.py --record

eviction: ## Replays drifting Zipf traces against the cache and against LRU, and prints hits and cost saved.
	$(CARGO) build --release --locked -p tollfree-bench
	target/release/tollfree-bench eviction

crash-rounds: ## Kills a writing process 200 times at random points and checks what its store still holds.
	TOLLFREE_CRASH_ROUNDS=200 $(CARGO) test --release --locked -p tollfree-cache --test life -- --nocapture a_process_killed

train-verifier: ## Trains the same-answer model again (an hour or more; fetches PyTorch, 6 GB).
	$(PYTHON) -m venv $(ASSETS)/training
	$(ASSETS)/training/bin/pip install --quiet -r embedder/same-answer/requirements.txt
	$(ASSETS)/training/bin/python embedder/same-answer/train.py --work $(ASSETS)/training/runs

fmt: ## Formats the code.
	$(CARGO) fmt --all
