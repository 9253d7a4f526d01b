# Fuzzers: each tests/fuzz/fuzz_<name>.c with its corpus. `make unit` replays the
# corpora, under gcc's sanitizers; `make fuzz` builds all with clang's libFuzzer.

T ?= 60

fuzzers := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
replays := $(fuzzers:%=build/unit/fuzz/fuzz_%)
fuzz_programs := $(fuzzers:%=build/fuzz/fuzz_%)
unit_programs += $(replays)

flags_fuzz := -O1 -fno-omit-frame-pointer -Wno-error \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
build/fuzz/%: CC := clang

# A variant of its own.
$(eval $(call variant_rules,fuzz))
$(foreach floor,$(floors),$(eval $(call archive_rules,fuzz,$(floor))))

build/unit/fuzz/fuzz_%: build/sanitize/obj/tests/fuzz/fuzz_%.o \
		build/sanitize/obj/tests/fuzz/replay.o $(call archives,sanitize,config)
	@mkdir -p $(@D)
	$(call say,LINK) $(call link,sanitize) $(call libraries,$(call packages,config))

$(fuzz_programs): build/fuzz/fuzz_%: build/fuzz/obj/tests/fuzz/fuzz_%.o \
		build/fuzz/obj/tests/fuzz/libfuzzer.o $(call archives,fuzz,config)
	$(call say,LINK) $(call link,fuzz) -fsanitize=fuzzer \
		$(call libraries,$(call packages,config))

.PHONY: unit-fuzz fuzz

unit-fuzz: $(replays)
	@tests/unit/run.sh $^

fuzz: ## Fuzz each parser for T=60 seconds; what is new stays in its corpus
	@tests/setup.sh build fuzz
	@$(MAKE) $(parallel) $(fuzz_programs)
	@tests/fuzz/run.sh $(T) $(fuzzers)
