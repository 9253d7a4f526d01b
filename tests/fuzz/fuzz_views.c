#include <string.h>

#include "proxy/session/session.h"
#include "tests/fuzz/fuzz.h"

#define OUT_BYTES_MAX (1 << 20)

static void write_nothing(void *arg, void (*done)(void *arg, uint64_t version),
			  void *done_arg)
{
	(void)arg, (void)done, (void)done_arg;
}

static void readmit_nobody(void *arg)
{
	(void)arg;
}

/*
 * What a process left of its views for the next one: behind the head that these
 * settings have, since nobody guesses the hash, or in its place.
 */
void fuzz_one(struct arena *arena, struct slice input)
{
	static struct loop *loop;
	struct ring_spec spec = {
		.buckets = 8,
		.resources_n = 1,
		.resources = { { .group = SLICE_LITERAL("g"),
				 .resource = SLICE_LITERAL("foos"),
				 .owner = -1 } },
	};
	struct session_conf conf = { 0 };
	struct ring_holder holder;
	struct sessions_env env = { .spec = &spec,
				    .ring = &holder,
				    .conf = &conf,
				    .write_barrier = write_nothing,
				    .readmit = readmit_nobody };
	struct sessions *sessions;
	struct buf text;
	int n;

	if (loop == NULL)
		loop = loop_create();
	env.loop = loop;
	ring_spec_seal(&spec, arena);
	ring_holder_init(&holder, &spec);
	sessions = sessions_create(&env);
	buf_init(&text, OUT_BYTES_MAX);
	if (fuzz_choice(&input, 4) > 0)
		FUZZ_ASSERT(sessions_save(sessions, &text) == 0);
	FUZZ_ASSERT(buf_append(&text, input) == 0);
	n = sessions_load(sessions, buf_slice(&text));
	FUZZ_ASSERT(n < 0 || (size_t)n <= text.len);
	buf_finish(&text);
	sessions_destroy(sessions);
	ring_holder_finish(&holder);
}
