/*
 * RELEASE and ACQUIRE: lists of what left and of what came, as events.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proxy/kube/selector.h"
#include "proxy/net/headers.h"
#include "proxy/session/mover.h"

/*
 * A page costs the API server a look at all that is behind it, so small objects come by
 * more than a few; and it must come to its end, with a slow client, before the API
 * server gives it up (60 s). Here a page takes the memory of its largest item.
 */
#define PAGE_ITEMS_MIN 500
#define PAGE_ITEMS_MAX 10000
#define PAGE_BYTES (8u << 20)
#define PAGE_TIMEOUT_MS 60000
#define ACCEPT_BYTES_MAX 8192
#define TARGET_BYTES_MAX (64u * 1024)

static bool is_release(const struct move *move)
{
	return move->step == MOVE_RELEASE;
}

static uint64_t list_version(const struct move *move)
{
	return is_release(move) ? move->plan.position : move->plan.floor;
}

/* The client's selector, and the buckets that move. */
static int write_selector(const struct move *move, struct buf *out)
{
	const struct bucket_set *set = is_release(move) ? &move->plan.released
							: &move->plan.acquired;
	uint16_t buckets[BUCKETS_MAX];
	int n = bucket_set_list(set, buckets), rc = 0;
	struct slice theirs = move->plan.label_selector;
	struct buf text;

	buf_init(&text, TARGET_BYTES_MAX);
	if (theirs.len > 0)
		rc = buf_printf(&text, "%.*s,", SLICE_ARGS(theirs));
	if (rc == 0)
		rc = selector_write_in(&text, move->plan.spec->label, buckets,
				       (size_t)n);
	if (rc == 0)
		rc = query_escape(out, buf_slice(&text));
	buf_finish(&text);
	return rc;
}

static int write_position(const struct move *move, struct slice token, struct buf *out)
{
	int rc;

	if (token.len == 0 && move->is_present)
		return 0;
	if (token.len == 0)
		return buf_printf(
			out, "&resourceVersion=%" PRIu64 "&resourceVersionMatch=Exact",
			list_version(move));
	rc = buf_append_text(out, "&continue=");
	return rc < 0 ? rc : query_escape(out, token);
}

/* As many as PAGE_BYTES hold, by those that have come. */
static size_t page_items(const struct move *move)
{
	size_t items = move->items_n == 0
			       ? 0
			       : PAGE_BYTES / (move->items_bytes / move->items_n + 1);

	if (items < PAGE_ITEMS_MIN)
		return PAGE_ITEMS_MIN;
	return items < PAGE_ITEMS_MAX ? items : PAGE_ITEMS_MAX;
}

static int write_target(const struct move *move, struct slice token, struct buf *out)
{
	int rc = buf_append(out, move->plan.path);

	/* Not for a person: the API server indents for some User-Agents. */
	if (rc == 0)
		rc = buf_printf(out, "?pretty=false&limit=%zu&labelSelector=",
				page_items(move));
	if (rc == 0)
		rc = write_selector(move, out);
	if (rc == 0 && move->plan.field_selector.len > 0) {
		rc = buf_append_text(out, "&fieldSelector=");
		if (rc == 0)
			rc = query_escape(out, move->plan.field_selector);
	}
	return rc < 0 ? rc : write_position(move, token, out);
}

static void ask_page(struct move *move, struct slice token)
{
	struct slice accept =
		headers_get(move->request.headers, move->request.headers_n, "accept");
	struct buf target, list_accept;
	int rc;

	buf_init(&target, TARGET_BYTES_MAX);
	buf_init(&list_accept, ACCEPT_BYTES_MAX);
	rc = write_target(move, token, &target);
	if (rc == 0)
		rc = encoding_list_accept(&list_accept, accept);
	if (rc == 0)
		move_request(move, arena_copy(move->arena, buf_slice(&target)),
			     arena_text(move->arena, buf_slice(&list_accept)),
			     PAGE_TIMEOUT_MS);
	buf_finish(&target);
	buf_finish(&list_accept);
	if (rc < 0)
		move_expire(move, EXPIRED_REFUSED,
			    "the request is too long to be moved; list again");
}

void move_list_start(struct move *move)
{
	move->items_n = move->items_bytes = 0;
	ask_page(move, slice_make(NULL, 0));
}

/* Once more, as things are now: what is told twice is told once. */
static void list_present(struct move *move)
{
	move->is_present = true;
	move_list_start(move);
}

/* --- items --- */

/* "DeploymentList" -> "Deployment"; else as the item says. */
static void learn_kind(struct move *move, struct slice item)
{
	struct slice kind = slice_of(move->reader.kind), version;

	if (move->kind[0] != '\0')
		return;
	if (kind.len > 4 && slice_is(slice_from(kind, kind.len - 4), "List")) {
		kind.len -= 4;
		version = slice_of(move->reader.api_version);
	} else if (move->encoding != KUBE_JSON ||
		   !json_span_text(item, "kind", &kind) ||
		   !json_span_text(item, "apiVersion", &version)) {
		return;
	}
	if (list_reader_copy(move->api_version, sizeof(move->api_version), version))
		(void)list_reader_copy(move->kind, sizeof(move->kind), kind);
}

/*
 * The version that an acquired object brings is one that its client may stand at, and
 * what the watch tells of it up to the floor is old.
 */
static int note_newcomer(struct move *move, size_t start)
{
	struct event_head head;
	struct err err;
	int rc = event_read(&head, move->encoding,
			    slice_from(buf_slice(&move->out), start),
			    move->plan.spec->label, &err);

	if (rc == 0)
		rc = newcomers_list(&move->newcomers, move_object(move, &head));
	if (rc == 0)
		doubt_note(move->plan.doubt, head.version);
	return rc;
}

static int add_event(struct move *move, struct slice object)
{
	struct event_item item = { .object = object,
				   .kind = move->kind,
				   .api_version = move->api_version };
	size_t start = move->out.len;
	int rc;

	move->items_n++;
	move->items_bytes += object.len;
	item.type = is_release(move) ? WATCH_DELETED : WATCH_ADDED;
	item.version = is_release(move) ? move->version : NULL;
	rc = event_write_item(&move->out, move->encoding, &item);
	if (rc == 0 && !is_release(move))
		rc = note_newcomer(move, start);
	if (rc < 0) {
		move->out.len = start;
		return rc;
	}
	move->has_events = true;
	move->plan.values[is_release(move) ? MOVES_RELEASED : MOVES_ACQUIRED]++;
	/*
	 * The client's position is back at r before the batch leaves: client-go
	 * holds back what it kept while its position seems to have gone back.
	 */
	if (!is_release(move) && move->out.len >= MOVE_BATCH_BYTES)
		move_bookmark(move, move->plan.position);
	return 0;
}

/* --- pages --- */

static void page_failed(struct move *move)
{
	bool is_busy = move->part_result != UPSTREAM_COMPLETE || move->status == 429 ||
		       move->status >= 500;

	if (is_busy)
		move_pause(move);
	else if (move->status == 410 && is_release(move) && move->plan.lacks_diff &&
		 !move->is_present) {
		move->plan.relists = EXPIRED_GONE;
		list_present(move);
	} else if (move->status == 410)
		move_expire(move, EXPIRED_GONE,
			    "the API server has forgotten the position; list again");
	else
		move_expire(move, EXPIRED_REFUSED,
			    "the API server refuses the list of what has moved; list "
			    "again");
}

static bool is_at_version(const struct move *move)
{
	uint64_t version;

	return list_reader_is_complete(&move->reader) &&
	       slice_to_u64(slice_of(move->reader.version), &version) == 0 &&
	       (move->is_present || version == list_version(move));
}

static void page_end(struct move *move)
{
	enum move_step next = is_release(move) ? MOVE_ACQUIRE : MOVE_SETTLE;

	if (move->part_result != UPSTREAM_COMPLETE || move->status != 200) {
		page_failed(move);
		return;
	}
	if (!is_at_version(move)) {
		move_expire(move, EXPIRED_REFUSED,
			    "the API server lists another version than it was asked "
			    "for; list again");
		return;
	}
	if (!is_release(move) && move->has_events)
		move_bookmark(move, move->plan.position);
	if (move->reader.next.len > 0)
		ask_page(move, arena_copy(move->arena, buf_slice(&move->reader.next)));
	else if (is_release(move) && move->plan.relists != 0 && !move->is_present)
		/* Who stands in doubt may hold what is newer than r. */
		list_present(move);
	else
		move_enter(move, next);
}

bool move_list_work(struct move *move)
{
	struct slice bytes = transfer_peek(move->upstream, move->transfer);
	struct err err;
	size_t n = bytes.len;
	int rc = 0;

	if (bytes.len == 0) {
		if (move->is_done)
			page_end(move);
		return false;
	}
	if (move->has_reader)
		rc = list_reader_next(&move->reader, bytes, &n, &err);
	if (rc == 1) {
		learn_kind(move, list_reader_item(&move->reader));
		rc = add_event(move, list_reader_item(&move->reader));
	}
	if (rc < 0) {
		move_expire(move, EXPIRED_REFUSED,
			    "the list of what has moved cannot be read; list again");
		return false;
	}
	transfer_take(move->upstream, move->transfer, n);
	return true;
}

bool move_is_possible(struct slice accept)
{
	struct buf text;
	int rc;

	buf_init(&text, ACCEPT_BYTES_MAX);
	rc = encoding_list_accept(&text, accept);
	buf_finish(&text);
	return rc == 0;
}
