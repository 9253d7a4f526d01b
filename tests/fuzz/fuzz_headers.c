#include "proxy/net/headers.h"
#include "proxy/net/strict.h"
#include "tests/fuzz/fuzz.h"

#define FIELDS_MAX 128

static bool is_any(struct slice name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (slice_is_nocase(name, *names))
			return true;
	return false;
}

/* What must not pass, and what must, whatever Connection names. */
static void check(const struct header *in, size_t in_n, const struct header *out,
		  size_t out_n, const struct headers_rules *rules)
{
	static const char *const never[] = {
		"transfer-encoding", "content-length", "te", "keep-alive", "host", NULL
	};
	static const char *const always[] = { "accept", "content-type", "user-agent",
					      "impersonate-user", NULL };
	size_t at = 0;

	for (size_t i = 0; i < in_n; i++) {
		bool has_passed = at < out_n &&
				  out[at].value.data == in[i].value.data &&
				  out[at].name.data == in[i].name.data;

		at += has_passed;
		FUZZ_ASSERT(!has_passed || !is_any(in[i].name, never));
		FUZZ_ASSERT(has_passed || !is_any(in[i].name, always));
		if (rules->is_request && slice_is_nocase(in[i].name, "authorization"))
			FUZZ_ASSERT(has_passed == !rules->strips_authorization);
	}
	/* The rest in its order, and nothing else. */
	FUZZ_ASSERT(at == out_n);
}

/* Fields, a line each: which of them pass. */
void fuzz_one(struct arena *arena, struct slice input)
{
	struct headers_rules rules = { .is_request = fuzz_choice(&input, 2) == 1 };
	struct header in[FIELDS_MAX], *out;
	struct slice line, name;
	size_t n = 0, passed;

	rules.strips_authorization = fuzz_choice(&input, 2) == 1;
	rules.strips_encoding = fuzz_choice(&input, 2) == 1;
	rules.keeps_upgrade = fuzz_choice(&input, 2) == 1;
	(void)strict_is_framing(input, fuzz_choice(&input, 2) == 1);
	while (n < FIELDS_MAX && slice_split(&input, '\n', &line))
		if (slice_split(&line, ':', &name))
			in[n++] = (struct header){ name, slice_trim(line) };
	passed = headers_pass(in, n, &rules, &out, arena);
	check(in, n, out, passed, &rules);
	(void)strict_are_fields(in, n);
	(void)headers_get(in, n, "connection");
}
