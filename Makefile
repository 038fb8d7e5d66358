# Everything a person needs here. `make` alone explains itself.
GO       ?= go
BIN      := bin/bartizan
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
BUILD    := CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)'
TOOLS    := $(GO) tool -modfile=tools/go.mod
RACE     := ./agent/... ./attach/... ./detect/... ./engine/... ./history/... ./notify/... ./sources/... ./store/... ./triage/...
FUZZTIME ?= 20s
MODEL    ?= 3000

.DEFAULT_GOAL := help
.PHONY: format help build run test race fuzz bench lint golden proto docs cross clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## the static binary, bin/bartizan
	@mkdir -p bin
	$(BUILD) -o $(BIN) ./cmd/bartizan

run: build ## build, then play the demo: an attack told live by files and a remote agent
	./$(BIN) demo

test: ## every test; needs Go alone
	$(GO) vet ./...
	$(GO) test ./...

race: ## the packages with goroutines under the race detector; needs gcc
	@command -v gcc >/dev/null || { echo "make race needs gcc: install it, or run make test"; exit 1; }
	CGO_ENABLED=1 $(GO) test -race -short $(RACE)

fuzz: ## every fuzz target for FUZZTIME (20s) each, and MODEL (3000) random histories of a followed file
	$(GO) test ./sources -run '^TestFollowerModel$$' -rapid.checks=$(MODEL) -rapid.seed=$$(date +%s) -count=1 -timeout 60m
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p 2>/dev/null | grep '^Fuzz'); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$p || exit 1; \
	  done; done

bench: ## every benchmark with allocations; docs/benchmarks.md says how to read them
	$(GO) test -run '^$$' -bench . -benchmem -count 1 ./...

lint: ## gofumpt, golangci-lint, the import map
	@test -z "$$($(TOOLS) gofumpt -l $$(git ls-files '*.go' | grep -v '\.pb\.go$$'))" || { echo "not formatted: run make format"; $(TOOLS) gofumpt -l .; exit 1; }
	$(TOOLS) golangci-lint run ./...

format: ## rewrite all Go files in the house style
	$(TOOLS) gofumpt -w $$(git ls-files '*.go' | grep -v '\.pb\.go$$')

golden: ## rewrite golden screens and generated pages from what the program does now
	$(GO) test ./ui ./cmd/bartizan ./sources/parse -update

proto: ## generate the agent's protocol from agent/agentpb
	$(GO) generate ./agent/agentpb

docs: build ## generate man pages and references under docs/
	./$(BIN) docs docs

cross: ## build for linux/amd64, linux/arm64 and darwin/arm64
	@mkdir -p bin
	GOOS=linux GOARCH=amd64 $(BUILD) -o bin/bartizan-linux-amd64 ./cmd/bartizan
	GOOS=linux GOARCH=arm64 $(BUILD) -o bin/bartizan-linux-arm64 ./cmd/bartizan
	GOOS=darwin GOARCH=arm64 $(BUILD) -o bin/bartizan-darwin-arm64 ./cmd/bartizan

clean: ## remove what was built
	rm -rf bin
