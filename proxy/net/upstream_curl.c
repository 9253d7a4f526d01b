/*
 * The libcurl backend. HTTP/1.1 only: a pausable transfer must not share a connection
 * with others (libcurl's HTTP/2 buffers whole windows of a paused stream and holds up
 * its neighbours).
 *
 * Inside libcurl's callbacks we only append and mark; events are given out after
 * curl_multi_socket_action has returned, from ready_run.
 */
#include "proxy/net/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/arena.h"
#include "proxy/base/log.h"
#include "proxy/net/credentials.h"
#include "proxy/net/curl_loop.h"
#include "proxy/net/handles.h"
#include "proxy/net/sockets.h"

/* Of a head, at first; it grows to TRANSFER_HEADERS_MAX. */
#define FIELDS_MIN 16

struct curl_upstream {
	struct upstream super;
	struct loop *loop;
	struct credentials credentials;
	struct curl_loop curl;
	struct sockets sockets;
	struct handles handles;
	struct loop_task work;
	struct list ready; /* transfers with something to tell */
};

struct transfer {
	struct curl_upstream *upstream;
	const struct upstream_events *events;
	void *arg;
	CURL *easy;
	struct arena *arena; /* request line, header lines, head */
	struct curl_slist *headers;
	struct curl_slist **headers_end;
	struct list node; /* in upstream->ready */
	struct buf body;
	struct upstream_head head;
	struct header *fields;
	size_t fields_size;
	size_t head_bytes; /* of answers 1xx, too */
	enum upstream_result result;
	struct err err;
	char curl_text[CURL_ERROR_SIZE];
	int64_t limit_ms; /* request->write_limit_ms */
	int64_t until_ms; /* when that is over; 0: no limit */
	int port;         /* of its connection, here; 0: it has not left */
	int sends;        /* how often the request was about to leave */
	bool is_member;
	bool is_safe;
	bool is_refused;
	bool is_resend_forbidden;
	bool is_paused;
	bool is_head_long, is_head_complete, is_head_told;
	bool is_ended, is_end_told;
	bool is_telling; /* inside one of the events */
	bool is_closed;
};

static void transfer_free(struct transfer *transfer)
{
	buf_finish(&transfer->body);
	arena_destroy(transfer->arena);
	free(transfer);
}

static void transfer_mark(struct transfer *transfer)
{
	if (!list_is_empty(&transfer->node))
		return;
	list_add(&transfer->upstream->ready, &transfer->node);
	loop_task_start(transfer->upstream->loop, &transfer->upstream->work);
}

/* --- libcurl's callbacks: append and mark --- */

static size_t on_write(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *transfer = arg;
	size_t bytes = size * n;

	if (transfer->body.len > 0 && bytes > buf_room(&transfer->body)) {
		transfer->is_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (buf_append(&transfer->body, slice_make(data, bytes)) != 0)
		return 0;
	transfer_mark(transfer);
	return bytes;
}

static void head_begin(struct transfer *transfer, struct slice line)
{
	struct slice version, code;

	transfer->head = (struct upstream_head){ .content_length = -1,
						 .headers = transfer->fields };
	(void)slice_split(&line, ' ', &version);
	if (slice_split(&line, ' ', &code) && code.len == 3)
		transfer->head.status = atoi(code.data);
	transfer->head.phrase = arena_copy(transfer->arena, slice_trim(line));
}

/* Room for one field more, or NULL. */
static struct header *field_add(struct transfer *transfer)
{
	struct upstream_head *head = &transfer->head;

	if (head->headers_n == TRANSFER_HEADERS_MAX)
		return NULL;
	if (head->headers_n == transfer->fields_size) {
		const struct header *few = transfer->fields;
		size_t size = few != NULL ? 2 * transfer->fields_size : FIELDS_MIN;

		transfer->fields = arena_alloc(transfer->arena, size * sizeof(*few));
		transfer->fields_size = size;
		if (few != NULL)
			memcpy(transfer->fields, few, head->headers_n * sizeof(*few));
		head->headers = transfer->fields;
	}
	return &transfer->fields[head->headers_n++];
}

static int head_field(struct transfer *transfer, struct slice line)
{
	ptrdiff_t colon = slice_find(line, ':');
	struct header *field;
	uint64_t length;

	if (colon <= 0)
		return 0; /* folded or nameless: nothing that means anything */
	field = field_add(transfer);
	if (field == NULL)
		return -EMSGSIZE;
	line = arena_copy(transfer->arena, line);
	field->name = slice_make(line.data, (size_t)colon);
	field->value = slice_trim(slice_from(line, (size_t)colon + 1));
	if (slice_is_nocase(field->name, "content-length") &&
	    slice_to_u64(field->value, &length) == 0 && length <= INT64_MAX)
		transfer->head.content_length = (int64_t)length;
	return 0;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *transfer = arg;
	struct slice line = slice_make(data, size * n);

	if (transfer->is_head_complete)
		return line.len; /* trailers */
	while (line.len > 0 && strchr("\r\n", line.data[line.len - 1]) != NULL)
		line.len--;
	transfer->head_bytes += line.len;
	if (transfer->head_bytes > TRANSFER_HEAD_BYTES_MAX)
		transfer->is_head_long = true;
	else if (slice_starts_with(line, "HTTP/"))
		head_begin(transfer, line); /* again after a 1xx */
	else if (line.len > 0)
		transfer->is_head_long = head_field(transfer, line) != 0;
	if (line.len == 0 && transfer->head.status >= 200) {
		transfer->is_head_complete = true;
		transfer_mark(transfer);
	}
	return transfer->is_head_long ? 0 : size * n;
}

static int on_prereq(void *arg, char *remote, char *local, int remote_port,
		     int local_port)
{
	struct transfer *transfer = arg;

	/* libcurl sends again when a kept connection dies before the first byte. */
	if (transfer->sends > 0 && !transfer->is_safe) {
		transfer->is_resend_forbidden = true;
		return CURL_PREREQFUNC_ABORT;
	}
	if (transfer->events->may_send && !transfer->events->may_send(transfer->arg)) {
		transfer->is_refused = true;
		return CURL_PREREQFUNC_ABORT;
	}
	transfer->sends++;
	transfer->port = local_port;
	/* A connection that is used again may have the limit of a write before. */
	sockets_limit(&transfer->upstream->sockets, local_port, transfer->limit_ms,
		      transfer->until_ms);
	return CURL_PREREQFUNC_OK;
}

/* --- telling: after libcurl has returned --- */

static enum upstream_result result_of(const struct transfer *transfer, CURLcode code)
{
	/* libcurl takes a connection that ends inside the head for a good end. */
	if (code == CURLE_OK)
		return transfer->is_head_complete ? UPSTREAM_COMPLETE : UPSTREAM_BROKEN;
	if (transfer->is_refused)
		return UPSTREAM_REFUSED;
	if (transfer->sends == 0)
		return UPSTREAM_UNREACHABLE;
	return code == CURLE_OPERATION_TIMEDOUT ? UPSTREAM_TIMEOUT : UPSTREAM_BROKEN;
}

static void transfer_end(struct transfer *transfer, CURLcode code)
{
	/* Of several tries libcurl keeps the first's text, and the last's code. */
	const char *text = transfer->curl_text[0] && transfer->sends == 0
				   ? transfer->curl_text
				   : curl_easy_strerror(code);

	if (transfer->until_ms > 0 && transfer->port > 0)
		sockets_relax(&transfer->upstream->sockets, transfer->port,
			      transfer->until_ms);
	transfer->is_ended = true;
	transfer->result = result_of(transfer, code);
	if (transfer->is_resend_forbidden || code == CURLE_OK)
		text = "the connection was closed before the answer";
	if (transfer->is_head_long)
		text = "the head of its answer is too long";
	transfer->upstream->super.long_heads += transfer->is_head_long;
	if (transfer->result != UPSTREAM_COMPLETE)
		err_set(&transfer->err, -EIO, "%s", text);
	transfer_mark(transfer);
}

static void collect_ended(struct curl_upstream *upstream)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(upstream->curl.multi, &left)) != NULL) {
		struct transfer *transfer;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		transfer_end(transfer, message->data.result);
	}
}

/* Any event may close the transfer; it gets no other then. */
static void transfer_tell(struct transfer *transfer)
{
	const struct upstream_events *events = transfer->events;

	transfer->is_telling = true;
	if (transfer->is_head_complete && !transfer->is_head_told) {
		transfer->is_head_told = true;
		if (events->on_head != NULL)
			events->on_head(transfer->arg, &transfer->head);
	}
	if (!transfer->is_closed && transfer->body.len > 0)
		events->on_bytes(transfer->arg);
	if (!transfer->is_closed && transfer->is_ended && !transfer->is_end_told) {
		transfer->is_end_told = true;
		events->on_end(transfer->arg, transfer->result, &transfer->err);
	}
	transfer->is_telling = false;
	if (transfer->is_closed)
		transfer_free(transfer);
}

static void ready_run(void *arg)
{
	struct curl_upstream *upstream = arg;

	collect_ended(upstream);
	while (!list_is_empty(&upstream->ready)) {
		struct transfer *transfer =
			LIST_OWNER(upstream->ready.next, struct transfer, node);

		list_remove(&transfer->node);
		transfer_tell(transfer);
	}
}

/* --- starting --- */

/* As curl_slist_append, in the arena. */
static void add_line(struct transfer *transfer, const char *line)
{
	struct curl_slist *node = arena_alloc(transfer->arena, sizeof(*node));

	node->data = (char *)(uintptr_t)line;
	*transfer->headers_end = node;
	transfer->headers_end = &node->next;
}

static void add_field(struct transfer *transfer, const struct header *field)
{
	/* libcurl's way to send a field without a value: "Name;". */
	const char *colon = field->value.len > 0 ? ": " : ";";
	size_t at = field->name.len + strlen(colon);
	char *line = arena_alloc(transfer->arena, at + field->value.len + 1);

	memcpy(line, field->name.data, field->name.len);
	memcpy(line + field->name.len, colon, at - field->name.len);
	memcpy(line + at, field->value.data, field->value.len);
	add_line(transfer, line);
}

static bool is_given(const struct upstream_request *request, const char *name)
{
	for (size_t i = 0; i < request->headers_n; i++)
		if (slice_is_nocase(request->headers[i].name, name))
			return true;
	return false;
}

static void add_own(struct transfer *transfer)
{
	struct err err;
	const char *line = credentials_header(&transfer->upstream->credentials, &err);

	if (err.text[0] != '\0')
		log_warn("upstream", "token not read, the last one stays in force",
			 log_text("reason", err.text));
	if (line != NULL)
		add_line(transfer, arena_text(transfer->arena, slice_of(line)));
}

static void add_headers(struct transfer *transfer,
			const struct upstream_request *request)
{
	/* What libcurl would add by itself, and how it is told not to. */
	static const struct {
		const char *name, *without;
	} added[] = {
		{ "Accept", "Accept:" },
		{ "Content-Type", "Content-Type:" },
		{ "Expect", "Expect:" },
	};

	transfer->headers_end = &transfer->headers;
	for (size_t i = 0; i < request->headers_n; i++)
		add_field(transfer, &request->headers[i]);
	for (size_t k = 0; k < sizeof(added) / sizeof(added[0]); k++)
		if (!is_given(request, added[k].name))
			add_line(transfer, added[k].without);
	if (transfer->is_member)
		add_own(transfer);
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

static void set_request(struct transfer *transfer,
			const struct upstream_request *request)
{
	CURL *easy = transfer->easy;
	const char *prefix = transfer->upstream->credentials.prefix;

	if (request->has_body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)request->body.len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
				 request->body.len > 0 ? request->body.data : "");
	}
	if (slice_is(request->method, "HEAD"))
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
			 arena_text(transfer->arena, request->method));
	curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET,
			 arena_printf(transfer->arena, "%s%.*s", prefix,
				      SLICE_ARGS(request->target)));
	if (request->timeout_ms > 0)
		curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
}

static void set_callbacks(struct transfer *transfer)
{
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->curl_text);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_prereq);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
}

static struct transfer *curl_start(struct upstream *super,
				   const struct upstream_request *request,
				   const struct upstream_events *events, void *arg)
{
	struct curl_upstream *upstream = (struct curl_upstream *)super;
	struct transfer *transfer = calloc(1, sizeof(*transfer));

	if (transfer == NULL)
		abort();
	transfer->upstream = upstream;
	transfer->events = events;
	transfer->arg = arg;
	transfer->is_safe = request->is_safe;
	transfer->limit_ms = request->write_limit_ms;
	if (transfer->limit_ms > 0)
		transfer->until_ms = loop_now_ms(upstream->loop) + transfer->limit_ms;
	transfer->is_member = request->identity == UPSTREAM_AS_MEMBER;
	transfer->arena = arena_create();
	list_init(&transfer->node);
	buf_init(&transfer->body, TRANSFER_BYTES_MAX);
	transfer->easy = handles_get(&upstream->handles, transfer->is_member);
	set_callbacks(transfer);
	set_request(transfer, request);
	add_headers(transfer, request);
	if (curl_multi_add_handle(upstream->curl.multi, transfer->easy) != CURLM_OK)
		transfer_end(transfer, CURLE_FAILED_INIT);
	return transfer;
}

static struct slice curl_peek(const struct transfer *transfer)
{
	return buf_slice(&transfer->body);
}

static void curl_take(struct transfer *transfer, size_t n)
{
	buf_consume(&transfer->body, n);
	if (!transfer->is_paused || transfer->is_ended ||
	    transfer->body.len > TRANSFER_BYTES_MAX / 2)
		return;
	transfer->is_paused = false;
	/* May call on_write at once; what it appends is told from the task. */
	curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
}

static void curl_close(struct transfer *transfer)
{
	struct curl_upstream *upstream = transfer->upstream;
	bool is_sound = transfer->is_ended && transfer->result == UPSTREAM_COMPLETE &&
			transfer->sends == 1;

	list_remove(&transfer->node);
	transfer->is_closed = true;
	if (!transfer->is_ended)
		curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
	curl_multi_remove_handle(upstream->curl.multi, transfer->easy);
	handles_put(&upstream->handles, transfer->easy, transfer->is_member, is_sound);
	if (!transfer->is_telling)
		transfer_free(transfer);
}

static void curl_destroy(struct upstream *super)
{
	struct curl_upstream *upstream = (struct curl_upstream *)super;

	handles_finish(&upstream->handles);
	curl_loop_finish(&upstream->curl);
	sockets_finish(&upstream->sockets);
	loop_task_stop(&upstream->work);
	credentials_finish(&upstream->credentials);
	curl_global_cleanup();
	free(upstream);
}

static const struct upstream_backend curl_backend = {
	.name = "libcurl, HTTP/1.1",
	.start = curl_start,
	.peek = curl_peek,
	.take = curl_take,
	.close = curl_close,
	.destroy = curl_destroy,
};

int upstream_curl_create(struct upstream **out, struct loop *loop,
			 const struct cluster *cluster, int64_t connect_timeout_ms,
			 struct err *err)
{
	struct curl_upstream *upstream = calloc(1, sizeof(*upstream));
	int rc;

	if (upstream == NULL)
		abort();
	rc = credentials_init(&upstream->credentials, cluster, err);
	if (rc != 0) {
		free(upstream);
		return rc;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	upstream->super.backend = &curl_backend;
	upstream->loop = loop;
	list_init(&upstream->ready);
	sockets_init(&upstream->sockets, loop);
	loop_task_init(&upstream->work, ready_run, upstream);
	curl_loop_init(&upstream->curl, loop, ready_run, upstream);
	handles_init(&upstream->handles, &upstream->credentials, &upstream->sockets,
		     upstream->curl.multi, connect_timeout_ms);
	*out = &upstream->super;
	return 0;
}
