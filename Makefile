# What CI runs and what people run are the same targets.
GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT = mvdan.cc/gofumpt@v0.12.0
GORELEASER = github.com/goreleaser/goreleaser/v2@v2.16.0

.PHONY: build test test-browser race forge-facts walk accept-gitea race-push crash bench lint docs demo release-check

build: ## bin/sluice
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/sluice ./cmd/sluice

test: ## all tests; git is needed, the network is not
	$(GO) test ./...

test-browser: ## the page of diff -o html in a real Chromium
	$(GO) test -tags browser -run Page ./pkg/diff

race: ## the race detector on the packages that run things in parallel
	$(GO) test -race ./pkg/repo ./pkg/render ./pkg/source ./pkg/hydrate ./pkg/forge/...

race-push: ## commit --push by many at once, and over a line that loses answers; minutes
	SLUICE_RACE=50 SLUICE_LOST_ANSWERS=1000 $(GO) test -count=1 -timeout 60m -v -run TestPush ./cmd/sluice

crash: ## kills, failing disks, power cuts, git beside; on Linux. CRASH=full tries every point
	$(GO) test -tags crash -count=1 -timeout 120m -v ./cmd/sluice/crash

lint: ## formatting, vet, staticcheck
	@unformatted=$$($(GO) run $(GOFUMPT) -l .); test -z "$$unformatted" || { echo "gofumpt -w: $$unformatted"; exit 1; }
	$(GO) vet -tags crash ./...
	$(GO) run $(STATICCHECK) -tags crash ./...

forge-facts: ## GitHub's descriptions of its API, which the tests hold requests and answers to, anew; needs npm and the network
	@rm -rf bin/forge-facts && mkdir -p bin/forge-facts
	cd bin/forge-facts && npm pack --silent @octokit/openapi@23.0.2 && tar xzf *.tgz
	for d in api.github.com ghes-3.17; do \
		$(GO) run ./pkg/forge/github/gen bin/forge-facts/package $$d pkg/forge/github/described/testdata/$$d.json || exit 1; done

walk: ## random steps on the fakes of all forges, 10,000 together, in a minute; STEPS=n on each, SEED=n for others
	SLUICE_WALK=$(or $(STEPS),3400) SLUICE_WALK_SEED=$(SEED) $(GO) test -count=1 -timeout 60m -v -run TestWalk ./pkg/forge/github ./pkg/forge/gitlab ./pkg/forge/gitea

accept-gitea: ## the conformance suite against a real Gitea or Forgejo; CONTRIBUTING.md has the variables
	@test -n "$$SLUICE_GITEA_URL" || { echo "SLUICE_GITEA_URL is not set: see CONTRIBUTING.md"; exit 1; }
	$(GO) test -count=1 -timeout 30m -v -run TestAccept ./pkg/forge/gitea

docs: ## generated files: docs/commands, the schema of sluice.yaml
	$(GO) run ./docs/gen

demo: ## the main job on a small repository, explained; its version is fixed, so that its ids are
	CGO_ENABLED=0 $(GO) build -ldflags "-X main.version=demo" -o bin/demo/sluice ./cmd/sluice
	@testdata/demo/run.sh bin/demo/sluice

release-check: ## that .goreleaser.yaml is sound
	$(GO) run $(GORELEASER) check

bench: ## sluice beside what people do today; SIZES=S,M,L,single,plain ROUNDS=3
	$(GO) run ./bench -sizes $(or $(SIZES),S,M) -rounds $(or $(ROUNDS),3)
