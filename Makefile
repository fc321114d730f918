# Two commands do all the set-up: `make demo` and `make test`. Both are safe to run twice.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SECONDS ?=
DATA ?=
DATASET ?=
MINUTES ?= 60

.PHONY: demo demo-kafka test fuzz lint bench kafka format dashboard clean help

help:
	@echo "make demo [SECONDS=20] [DATA=file] [DATASET=shuttle]   watch a sparse model learn"
	@echo "make demo-kafka [SECONDS=20]   the same through a real Kafka broker (Java and Maven)"
	@echo "make test    all tests (real Kafka and Prometheus where the machine has them)"
	@echo "make fuzz [MINUTES=60]   mutated records: the scanners against the libraries of their formats"
	@echo "make lint    ruff and mypy"
	@echo "make bench   every benchmark of speed, each peer in the same run (half an hour; Java and Maven)"
	@echo "make kafka   one Kafka broker in the foreground, for a try-out (Java and Maven)"

# An editable install: the demo needs the service's extra, tests and lint the developer's.
$(VENV)/demo.stamp: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[service]'
	@touch $@

$(VENV)/dev.stamp: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/demo.stamp

demo: $(VENV)/demo.stamp
	@$(BIN)/streamlasso demo $(if $(SECONDS),--seconds $(SECONDS)) $(if $(DATA),--data '$(DATA)') $(if $(DATASET),--dataset $(DATASET)) $(ARGS)

# A broker, simulated clicks through a topic, and the live picture; the broker ends with it.
demo-kafka: $(VENV)/demo.stamp
	@services/kafka/demo.sh $(BIN)/streamlasso $(SECONDS)

# A file of tests stays with one worker: it starts its own servers and compiles its own kernels.
test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

fuzz: $(VENV)/dev.stamp
	$(BIN)/python tests/fuzz_scanning.py --minutes $(MINUTES) $(ARGS)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

BENCHES := files stack scanning names growth kafka

bench: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks $(ARGS)
	@for name in $(BENCHES); do echo; echo "$$name:"; $(BIN)/python -m benchmarks.bench_$$name || exit; done

kafka:
	@services/kafka/run.sh

dashboard: $(VENV)/dev.stamp
	$(BIN)/python services/grafana/generate.py

clean:
	rm -rf $(VENV) build dist *.egg-info
