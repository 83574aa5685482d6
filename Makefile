# What CI runs and what people run are the same targets.
GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT = mvdan.cc/gofumpt@v0.12.0
GORELEASER = github.com/goreleaser/goreleaser/v2@v2.16.0
ACTIONLINT = github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
CRANE = github.com/google/go-containerregistry/cmd/crane@v0.22.1

.PHONY: build test test-browser race forge-facts walk accept-gitea race-push crash bench lint docs demo fuzz cross release-check release release-image

build: ## bin/sluice
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/sluice ./cmd/sluice

test: ## all tests; git is needed, the network is not
	$(GO) test -timeout 20m ./...

test-browser: ## the pages of diff and status -o html in a real Chromium
	$(GO) test -tags browser -run Page ./pkg/diff ./pkg/cli

race: ## the race detector on the packages that run things in parallel
	$(GO) test -race -timeout 20m ./pkg/repo ./pkg/render ./pkg/source ./pkg/hydrate ./pkg/forge/...

race-push: ## commit --push by many at once, and over a line that loses answers; minutes
	SLUICE_RACE=50 SLUICE_LOST_ANSWERS=1000 $(GO) test -count=1 -timeout 60m -v -run TestPush ./cmd/sluice

crash: ## kills, failing disks, power cuts, git beside; on Linux. CRASH=full tries every point
	$(GO) test -tags crash -count=1 -timeout 120m -v ./cmd/sluice/crash

lint: ## formatting, vet, staticcheck; workflows, also those that sluice init writes
	@unformatted=$$($(GO) run $(GOFUMPT) -l .); test -z "$$unformatted" || { echo "gofumpt -w: $$unformatted"; exit 1; }
	$(GO) vet -tags crash,browser ./...
	$(GO) run $(STATICCHECK) -tags crash,browser ./...
	$(GO) run $(ACTIONLINT) .github/workflows/*.yml pkg/start/testdata/ci/*/.github/workflows/*.yml

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

docs: ## generated files: docs/commands, docs/man, the schema of sluice.yaml
	$(GO) run ./docs/gen

demo: ## the main job on a small repository, explained; its version is fixed, so that its ids are
	CGO_ENABLED=0 $(GO) build -ldflags "-X main.version=demo" -o bin/demo/sluice ./cmd/sluice
	@testdata/demo/run.sh bin/demo/sluice

fuzz: ## every fuzz test for FUZZTIME, a minute for all of them together
	@$(GO) test -list '^Fuzz' ./... | awk '/^Fuzz/ { names[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, names[i]; n = 0 }' | \
		while read -r package name; do $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(or $(FUZZTIME),4s) "$$package" || exit 1; done

cross: ## that every system that is released to compiles
	@for target in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64; do \
		echo "$$target"; GOOS=$${target%/*} GOARCH=$${target#*/} CGO_ENABLED=0 $(GO) build -trimpath -o /dev/null ./cmd/sluice || exit 1; done

release-check: ## a release of HEAD, built twice and compared; nothing is published
	$(GO) run $(GORELEASER) check
	FRESH=$(FRESH) release/check.sh $(GO) run $(GORELEASER)

release: ## the draft of a release of the tag that is checked out; CI does it
	release/publish.sh $(GO) run $(GORELEASER)

release-image: ## pushes the image that release has made
	@printf '%s' "$$GITHUB_TOKEN" | $(GO) run $(CRANE) auth login ghcr.io -u "$$GITHUB_ACTOR" --password-stdin
	$(GO) run $(CRANE) push dist/image "ghcr.io/sluice-dev/sluice:$$(git describe --exact-match --tags)"

bench: ## sluice beside what people do today, and the targets; SIZES=M ROUNDS=3 is the short way, LOOP_ROUNDS how often the loop
	$(GO) run ./bench -sizes $(or $(SIZES),M,L,single-500,single,plain-10000,plain) -rounds $(or $(ROUNDS),3) -loop-rounds $(or $(LOOP_ROUNDS),1)
