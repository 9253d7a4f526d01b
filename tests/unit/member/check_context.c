#include "proxy/member/context.h"

#include <stdio.h>

#include "tests/unit/unit.h"

/* Another value than the default one. */
static const char *other_value(const struct opt *row)
{
	static char text[32];

	switch (row->type) {
	case OPT_CHOICE:
		return row->choices[1];
	case OPT_INT:
	case OPT_DURATION:
		snprintf(text, sizeof(text), "%lld%s", (long long)row->max,
			 row->type == OPT_DURATION ? "ms" : "");
		return text;
	default:
		ck_abort_msg("%s may be reloaded: how?", row->name);
	}
}

START_TEST(context_takes_over_all_that_a_reload_may_change)
{
	struct arena *arena = arena_create();
	struct ring_spec spec = { .ring = SLICE_LITERAL("foos") };
	struct member_context context = { .spec = &spec };
	struct member_conf conf, changed;
	struct err err;

	opt_set_defaults(member_options, member_options_n, &conf, arena);
	member_context_init(&context, &conf);
	changed = conf;
	for (size_t i = 0; i < member_options_n; i++)
		if (member_options[i].reload)
			ck_assert_int_eq(
				opt_set(&member_options[i], &changed, arena,
					slice_of(other_value(&member_options[i])),
					&err),
				0);
	member_context_reload(&context, &changed);
	for (size_t i = 0; i < member_options_n; i++)
		ck_assert_msg(opt_is_equal(&member_options[i], &context.conf, &changed),
			      "%s", member_options[i].name);
	member_context_finish(&context);
	arena_destroy(arena);
}
END_TEST

UNIT_MAIN("member/context", context_takes_over_all_that_a_reload_may_change)
