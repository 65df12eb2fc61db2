# Thin on purpose: each target is one command that works without make too.
.PHONY: test race lint bench soak trust mutants build

test: ## what the README promises
	go test work

race:
	go test -race -shuffle=on work

lint: ## vet for three systems, pinned linters from tools/, tidy modules
	.ci/lint

bench: ## the figures of docs/benchmarks.md
	go test -run '^$$' -bench . -benchtime 1s ./internal/... ./repl/... ./peer/... ./bootstrap-api/... ./testserver/...

soak: ## what takes too long for every day, such as 300 kills of the file store and 100 of a peer
	PEERLAB_SOAK=1 go test -race -count=1 -timeout 60m work

trust: mutants ## that nothing passes which should not, and nothing fails which should pass: two hours
	PEERLAB_TRUST=200 go test -count=1 -v -timeout 4h ./testserver/trust

mutants: ## that the tests of the verdict code would notice if it were wrong
	.ci/mutate

build:
	go build -trimpath -ldflags='-s -w' -o bin/ ./peer ./bootstrap-server ./testserver
