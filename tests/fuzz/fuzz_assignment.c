#include "proxy/kube/json.h"
#include "proxy/ring/assignment.h"
#include "tests/fuzz/fuzz.h"

#define OUT_BYTES_MAX (4 << 20)

/* The ConfigMap's data: what was read can be written, and read again. */
void fuzz_one(struct arena *arena, struct slice input)
{
	static struct assignment assignment, again;
	static const struct ring_spec spec = {
		.buckets = 8,
		.resources_n = 1,
		.resources = { { .group = SLICE_LITERAL("g"),
				 .resource = SLICE_LITERAL("foos") } },
	};
	struct json *json;
	struct err err = { "" };
	struct buf out;

	if (json_parse(&json, arena, input, NULL, &err) != 0)
		return;
	if (assignment_parse(&assignment, arena, &spec, json, &err) != 0) {
		FUZZ_ASSERT(err.text[0] != '\0');
		return;
	}
	buf_init(&out, OUT_BYTES_MAX);
	FUZZ_ASSERT(assignment_write(&out, &assignment, &spec) == 0);
	FUZZ_ASSERT(json_parse(&json, arena, buf_slice(&out), NULL, &err) == 0);
	FUZZ_ASSERT(assignment_parse(&again, arena, &spec, json, &err) == 0);
	FUZZ_ASSERT(again.epoch == assignment.epoch &&
		    again.buckets == assignment.buckets &&
		    again.members_n == assignment.members_n &&
		    again.active_n == assignment.active_n);
	for (int i = 0; i < assignment.buckets; i++)
		FUZZ_ASSERT(again.bucket[i].owner == assignment.bucket[i].owner &&
			    again.bucket[i].target == assignment.bucket[i].target &&
			    again.bucket[i].since == assignment.bucket[i].since);
	buf_finish(&out);
}
