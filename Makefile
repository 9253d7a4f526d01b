# Ringside. `make help` lists the targets, `make test` runs everything.

.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash

# The floors, low to high. A floor is a folder, an archive, and a promise: it
# uses only what lies below it. Programs link what they may use and no more, so
# a wrong dependency does not link; tests/lint/floors.py reads the same tables.

floors := base kube ring filters net session member config

folder_base    := proxy/base
folder_kube    := proxy/kube
folder_ring    := proxy/ring
folder_filters := filters
folder_net     := proxy/net
folder_session := proxy/session
folder_member  := proxy/member
folder_config  := config

below_base    :=
below_kube    := base
below_ring    := kube $(below_kube)
below_filters := ring $(below_ring)
below_net     := filters $(below_filters)
below_session := net $(below_net)
below_member  := session $(below_session)
below_config  := member $(below_member)

packages_kube   := yajl
packages_ring   := libxxhash
packages_net    := libh2o-evloop libcurl libnghttp2 openssl
packages_config := yaml-0.1

# What a program of floor $(2) links, in variant $(1): highest floor first.
archives = $(patsubst %,build/$(1)/lib%.a,$(2) $(below_$(2)))
packages = $(foreach floor,$(1) $(below_$(1)),$(packages_$(floor)))
libraries = $(shell pkg-config --libs $(1))

# Two variants of everything: `release` is what runs, `sanitize` what is tested.

CPPFLAGS += -I. -D_GNU_SOURCE -DH2O_USE_LIBUV=0
CFLAGS += -std=gnu17 -g -fno-strict-aliasing -fstack-protector-strong
CFLAGS += -Wall -Wextra -Werror -Wshadow -Wvla -Wundef -Wwrite-strings -Wformat=2 \
	-Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
	-Wno-unused-parameter -Wno-missing-field-initializers -Wno-format-truncation
LDFLAGS += -Wl,-z,relro,-z,now

flags_release  := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
flags_sanitize := -O1 -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all

# One short line a step; `make V=1` shows the commands.
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $@ &&)

# On all cores, unless make was told on how many.
parallel = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

compile = $(CC) $(CPPFLAGS) $(CFLAGS) $(flags_$(1)) -MMD -MP -c -o $@ $<
link    = $(CC) $(CFLAGS) $(flags_$(1)) $(LDFLAGS) -o $@ $(filter %.o %.a,$^)

.PHONY: all
all: build/release/ringside ## Build the proxy: build/release/ringside (default)

# $(1): a variant.
define variant_rules
build/$(1)/obj/%.o: %.c Makefile
	@mkdir -p $$(@D)
	$$(call say,CC) $$(call compile,$(1))

build/$(1)/ringside: $(patsubst %.c,build/$(1)/obj/%.o,$(wildcard proxy/*.c)) \
		$(call archives,$(1),config)
	$$(call say,LINK) $$(call link,$(1)) $$(call libraries,$$(call packages,config))
endef

# $(1): a variant, $(2): a floor.
define archive_rules
build/$(1)/lib$(2).a: $(patsubst %.c,build/$(1)/obj/%.o,$(wildcard $(folder_$(2))/*.c))
	@mkdir -p $$(@D) && rm -f $$@
	$$(call say,AR) ar rcs $$@ $$^
endef

# $(1): a floor. Its unit tests: one program for each check_<module>.c; what else
# is in the folder, they share.
define unit_rules
checks_$(1) := $(wildcard tests/unit/$(1)/check_*.c)
shared_$(1) := $(filter-out tests/unit/$(1)/check_%,$(wildcard tests/unit/$(1)/*.c))
programs_$(1) := $$(checks_$(1):tests/%.c=build/%)
unit_programs += $$(programs_$(1))

build/unit/$(1)/%: build/sanitize/obj/tests/unit/$(1)/%.o \
		$$(shared_$(1):%.c=build/sanitize/obj/%.o) $(call archives,sanitize,$(1))
	@mkdir -p $$(@D)
	$$(call say,LINK) $$(call link,sanitize) $$(call libraries,check $$(call packages,$(1)))

.PHONY: unit-$(1)
unit-$(1): $$(programs_$(1))
	@tests/unit/run.sh $$^
endef

$(foreach variant,release sanitize,$(eval $(call variant_rules,$(variant))))
$(foreach variant,release sanitize,\
	$(foreach floor,$(floors),$(eval $(call archive_rules,$(variant),$(floor)))))
$(foreach floor,$(floors),$(eval $(call unit_rules,$(floor))))

.SECONDARY:
include tests/lint/lint.mk
include tests/fuzz/fuzz.mk
-include $(shell find build -name '*.d' 2>/dev/null)

.PHONY: unit lint model model-full e2e test demo bench bench-ring setup clean help coherent chaos mutants mutants-e2e

unit: $(unit_programs) ## Unit tests under ASan and UBSan (one floor: make unit-ring)
	@tests/unit/run.sh $^

lint: ## Floors, headers, format, sizes, shellcheck, clang-tidy
	@tests/lint/run.sh

e2e: build/sanitize/ringside build/release/ringside ## The proxy before a real API server
	@tests/e2e/frameworks/build.sh >/dev/null
	@tests/e2e.sh go vet ./... ../controlplane/...
	@tests/e2e.sh go test -p 1 -count=1 -timeout 40m -v ./... ../controlplane/...

model: ## Verify the models of handover, and that each rule is needed
	@tests/setup.sh model
	@tests/model/run.sh

model-full: ## The same at full size: minutes, and gigabytes of memory
	@tests/setup.sh model
	@tests/model/run.sh full

test: ## Install what is missing, then lint, unit, mutants, model and e2e
	@tests/setup.sh build lint model e2e go
	@$(MAKE) $(parallel) lint
	@$(MAKE) $(parallel) unit
	@$(MAKE) $(parallel) mutants
	@$(MAKE) model
	@$(MAKE) $(parallel) e2e

coherent: build/sanitize/ringside ## Views that change under watches, for long (COHERENT_SECONDS=600)
	@COHERENT_SECONDS=$${COHERENT_SECONDS:-600} tests/e2e.sh \
		go test -count=1 -timeout 60m -v -run TestCoherentView ./clients

mutants: $(unit_programs) ## Leave out a rule of the code at a time: a test must find each
	@tests/mutants/run.sh unit

mutants-e2e: build/sanitize/ringside ## The same, by tests before a real API server (15 minutes)
	@tests/mutants/run.sh e2e

chaos: build/release/ringside ## Let everything fail at random: MINUTES=10 SEED=1
	@VARIANT=release CHAOS_MINUTES=$${MINUTES:-10} CHAOS_SEED=$(SEED) tests/e2e.sh \
		go test -count=1 -timeout 600m -v -run TestChaos ./chaos

demo: ## Install what is missing, then show it on this machine
	@tests/setup.sh build go
	@$(MAKE) $(parallel) build/release/ringside
	@VARIANT=release tests/e2e.sh go run ./demo

bench: ## Install haproxy and nginx, then measure beside them (7 minutes)
	@tests/setup.sh build go bench
	@$(MAKE) $(parallel) build/release/ringside
	@cd tests/bench && RINGSIDE=$(CURDIR)/build/release/ringside go run .
	@$(MAKE) bench-ring

bench-ring: ## What moves, rebalances, crashes and labels cost, before a real API server
	@tests/setup.sh build go
	@$(MAKE) $(parallel) build/release/ringside
	@VARIANT=release tests/e2e.sh go run ../bench/ring

setup: ## Install the Debian packages that building and testing need
	@tests/setup.sh build lint model e2e go

clean: ## Remove build/
	rm -rf build

help: ## This list
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | \
		expand -t 10
