# Everything here is a plain go command; the Makefile only gives them names.
.PHONY: build test race check lint fmt slt plan fuzz random crash bench demo keymodel

build:
	CGO_ENABLED=0 go build -o bin/basalt ./cmd/basalt
test:
	go test ./...
race:
	go test -race -short ./internal/... ./catalog/... ./storage/... ./executor/... ./server/... .
check:
	.ci/run
lint:
	go vet ./... && go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
fmt:
	gofmt -w $$(git ls-files '*.go')
slt:
	go test ./test/slt
plan:
	go test ./test/plan ./planner/...
# make fuzz PKG=./parser TARGET=FuzzParse FUZZTIME=10m
FUZZTIME ?= 1m
fuzz:
	go test $(PKG) -run '^$$' -fuzz $(TARGET) -fuzztime $(FUZZTIME)
# make random SEED=42
random:
	go test ./test/random -args -long $(if $(SEED),-seed $(SEED))
# make crash: 200 kill -9 of a writer, and failing disks
crash:
	go test ./test/crash -args -long $(if $(SEED),-seed $(SEED))
# make keymodel: 10,000 random changes of tables of every key model, and 60 kill -9
keymodel:
	go test -timeout 20m ./test/keymodel -args -long $(if $(SEED),-seed $(SEED))
# make bench DATA=folder-with-sf1
bench:
	go run ./bench/cmd/bench --sf 1 $(if $(DATA),--data $(DATA))
demo:
	go run ./cmd/basalt demo
