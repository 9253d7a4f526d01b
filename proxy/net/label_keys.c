#include "proxy/net/label_keys.h"

#include <errno.h>
#include <stdlib.h>

#define PATH_BYTES_MAX 4096

struct label_keys_call {
	struct api_call *api_call;
	struct loop_task fail;
	struct err failure;
	label_keys_done *done;
	void *arg;
};

static void call_end(struct label_keys_call *call, const struct slice *keys,
		     size_t keys_n, const struct err *failure)
{
	struct label_keys_call copy = *call;

	free(call);
	copy.done(copy.arg, keys, keys_n, failure);
}

static void on_fail(void *arg)
{
	struct label_keys_call *call = arg;
	struct err failure = call->failure;

	call_end(call, NULL, 0, &failure);
}

static void on_answer(void *arg, const struct api_answer *answer)
{
	struct label_keys_call *call = arg;
	const struct json *labels = json_at(answer->json, "metadata.labels");
	struct slice *keys;
	size_t n = 0;

	if (answer->status != 404 &&
	    (!api_is_success(answer) || answer->json == NULL)) {
		call_end(call, NULL, 0, &answer->err);
		return;
	}
	if (answer->status == 404)
		labels = NULL;
	keys = arena_alloc(answer->arena,
			   ((labels ? labels->count : 0) + 1) * sizeof(*keys));
	for (const struct json *label = labels ? labels->first : NULL; label;
	     label = label->next)
		keys[n++] = label->key;
	call_end(call, keys, n, NULL);
}

struct label_keys_call *label_keys_start(const struct api *api,
					 const struct catalog *catalog,
					 const struct locate_question *question,
					 label_keys_done *done, void *arg)
{
	struct label_keys_call *call = calloc(1, sizeof(*call));
	struct api_request request = { .method = "GET", .accept = API_METADATA };
	struct buf path;

	if (call == NULL)
		abort();
	call->done = done;
	call->arg = arg;
	loop_task_init(&call->fail, on_fail, call);
	buf_init(&path, PATH_BYTES_MAX);
	if (catalog_path(catalog, question->resource, question->namespace,
			 question->name, &path) == 0 &&
	    buf_append(&path, slice_make("", 1)) == 0) {
		request.target = path.data;
		call->api_call = api_start(api, &request, on_answer, call);
	} else {
		err_set(&call->failure, -EINVAL, "no path leads to the object");
		loop_task_start(api->loop, &call->fail);
	}
	buf_finish(&path);
	return call;
}

void label_keys_cancel(struct label_keys_call *call)
{
	if (call == NULL)
		return;
	loop_task_stop(&call->fail);
	api_cancel(call->api_call);
	free(call);
}
