#include "proxy/kube/discovery.h"
#include "proxy/kube/json.h"
#include "proxy/kube/lease.h"
#include "proxy/kube/list.h"
#include "tests/fuzz/fuzz.h"

/* What the API server answers to our own calls. */
void fuzz_one(struct arena *arena, struct slice input)
{
	struct watch_event event;
	struct api_resource resource;
	struct list_head head;
	struct lease lease;
	struct slice version;
	struct json *json;
	struct err err;

	if (json_parse(&json, arena, input, NULL, &err) != 0)
		return;
	(void)list_of_json(&head, json, &err);
	(void)watch_event_of_json(&event, json, &err);
	(void)discovery_preferred_version(&version, json, &err);
	(void)discovery_find(&resource, json, SLICE_LITERAL("foos"), &err);
	if (lease_of_json(&lease, json, &err) == 0) {
		struct buf out;
		struct json *again;
		struct lease other;

		/* What we can read and write we can read again. */
		buf_init(&out, 1 << 20);
		if (lease_write(&out, &lease) == 0) {
			FUZZ_ASSERT(json_parse(&again, arena, buf_slice(&out), NULL,
					       &err) == 0);
			FUZZ_ASSERT(lease_of_json(&other, again, &err) == 0);
		}
		buf_finish(&out);
	}
}
