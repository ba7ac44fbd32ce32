# What there is to do. CI runs .ci/run, which does the same and more.

.DEFAULT_GOAL := help
export CGO_ENABLED = 0

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

build: ## build ./plumb
	go build -o plumb ./cmd/plumb

test: ## run the tests
	go test ./...

test-postgres: ## run the tests on a throw-away PostgreSQL too
	@dir=$$(mktemp -d); url=$$(bash .ci/postgres $$dir); \
	[ -n "$$url" ] || { echo "no PostgreSQL on this machine"; exit 1; }; \
	PLUMB_TEST_DATABASE=$$url go test ./...; code=$$?; \
	kill -INT $$(head -n 1 $$dir/data/postmaster.pid); exit $$code

check: ## run all that CI runs
	bash .ci/run

generate: ## write the generated code and pages anew
	go run ./internal/model/gen
	$(MAKE) docs

docs: ## write the pages of docs/ that the program prints
	go run ./cmd/plumb docs --write docs

run: ## run a server on loopback
	go run ./cmd/plumb serve

demo: ## show the main job
	go run ./cmd/plumb demo

.PHONY: help build test test-postgres check generate docs run demo
