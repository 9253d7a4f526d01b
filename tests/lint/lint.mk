# The checks that compile. A stamp under build/lint says that a file passed, and
# is made again when the file or a header of ours that it includes changes.
#
# FILES: the sources to look at.

FILES ?= $(shell find proxy filters config tests -name '*.[ch]')

lint_flags = $(CPPFLAGS) $(filter-out -Werror,$(CFLAGS))
stamp = $(CC) $(CPPFLAGS) -MM -MP -MT $@ -MF $@.d $< && touch $@

build/lint/header/%.h: %.h Makefile
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) -fsyntax-only -x c $< && $(stamp)

build/lint/tidy/%.c: %.c .clang-tidy
	@mkdir -p $(@D)
	@out=$$(clang-tidy --quiet $< -- $(lint_flags) 2>/dev/null) && $(stamp) || \
		{ printf '%s\n' "$$out"; exit 1; }

.PHONY: lint-headers lint-tidy floor-table

# Every header compiles alone.
lint-headers: $(patsubst %,build/lint/header/%,$(filter %.h,$(FILES)))

lint-tidy: $(patsubst %,build/lint/tidy/%,$(filter %.c,$(FILES)))

# For floors.py: a floor, its folder, and the floors below it.
floor-table:
	@$(foreach floor,$(floors),echo $(floor) $(folder_$(floor)) $(below_$(floor));)
