#include "proxy/kube/query.h"
#include "proxy/kube/request.h"
#include "tests/fuzz/fuzz.h"

/* A request line; and a query that is not edited keeps its bytes. */
void fuzz_one(struct arena *arena, struct slice input)
{
	static const char *const methods[] = { "GET",   "POST",   "PUT",
					       "PATCH", "DELETE", "HEAD" };
	const char *method = methods[fuzz_choice(&input, 6)];
	struct kube_request request;
	struct slice value;
	struct query *query;
	struct buf out;

	kube_request_parse(&request, arena, slice_of(method), input);
	FUZZ_ASSERT(request.path.len + request.query.len <= input.len);
	query = query_parse(arena, request.query);
	buf_init(&out, input.len + 64);
	if (query_write(query, &out) == 0)
		FUZZ_ASSERT(slice_eq(buf_slice(&out), request.query) ||
			    !query_is_certain(query));
	buf_finish(&out);
	query_set(query, "labelSelector", SLICE_LITERAL("a in (b)"));
	FUZZ_ASSERT(query_get(query, "labelSelector", &value));
	FUZZ_ASSERT(slice_is(value, "a in (b)"));
}
