/*
 * Sessions in a world of their own: a fake API server, a ring that the test
 * publishes, and exchanges of which only what is told to them is kept.
 */
#ifndef RINGSIDE_UNIT_SESSION_STORY_H
#define RINGSIDE_UNIT_SESSION_STORY_H

#include "proxy/session/session.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/net/fake_api.c"  // NOLINT(bugprone-suspicious-include)
#include "tests/unit/net/fake_ring.c" // NOLINT(bugprone-suspicious-include)

#define LIST "GET /apis/g/v1/foos?limit=1"
#define EXCHANGES_MAX 8

/* In place of proxy/net's: what is told to it is kept. */
struct exchange {
	struct stream *stream;
	bool is_poked;
	bool has_left;
	bool is_delivered;
	bool is_cut;
};

struct story {
	struct fake_ring world;
	struct ring_holder ring;
	struct session_conf conf;
	struct sessions *sessions;
	struct relay relay;
	void (*written)(void *arg, uint64_t version); /* our write waits */
	void *written_arg;
	int writes;
	int readmits;
	bool is_followed; /* what sessions_follow said when it was last told */
	bool is_readmitted;
	bool is_writing;
	struct exchange exchanges[EXCHANGES_MAX];
	int exchanges_n;
};

static struct story *story;                 /* too large for a stack */
static bool (*is_after_another)(void *arg); /* a process ran here before; or NULL */

void exchange_poke(struct exchange *exchange)
{
	exchange->is_poked = true;
}

bool exchange_is_natural_end(const struct exchange *exchange)
{
	return exchange->has_left;
}

bool exchange_is_delivered(const struct exchange *exchange)
{
	return exchange->is_delivered;
}

void exchange_cut(struct exchange *exchange)
{
	struct stream *stream = exchange->stream;

	exchange->is_cut = true;
	exchange->stream = NULL;
	story->relay.close(stream);
}

static inline void write_barrier(void *arg, void (*done)(void *arg, uint64_t version),
				 void *done_arg)
{
	(void)arg;
	ck_assert_ptr_null(story->written);
	story->written = done;
	story->written_arg = done_arg;
	story->writes++;
	story->is_writing = true;
}

static inline void readmit(void *arg)
{
	(void)arg;
	story->readmits++;
	story->is_readmitted = true;
}

static inline void on_step(void *arg)
{
	(void)arg;
	if (story->sessions != NULL)
		story->is_followed = sessions_follow(story->sessions, RESOURCE_MAIN);
}

/* --- what happens --- */

static inline void begin(void)
{
	story = calloc(1, sizeof(*story));
	fake_ring_init(&story->world);
	fake_ring_learn(&story->world);
	ring_holder_init(&story->ring, &story->world.spec);
	story->conf = (struct session_conf){ .min_age_ms = 0,
					     .list_timeout_ms = 60000,
					     .session_timeout_ms = 60000 };
	story->sessions = sessions_create(&(struct sessions_env){
		.loop = story->world.fake->loop,
		.api = &story->world.fake->api,
		.spec = &story->world.spec,
		.catalog = story->world.catalog,
		.ring = &story->ring,
		.conf = &story->conf,
		.write_barrier = write_barrier,
		.readmit = readmit,
		.had_former = is_after_another,
		.on_step = on_step,
	});
	story->relay = sessions_relay(story->sessions);
}

static inline void finish(void)
{
	for (int i = 0; i < story->exchanges_n; i++)
		if (story->exchanges[i].stream != NULL)
			story->relay.close(story->exchanges[i].stream);
	sessions_destroy(story->sessions);
	if (story->written != NULL)
		story->written(story->written_arg, 0);
	ring_holder_finish(&story->ring);
	fake_ring_finish(&story->world);
	free(story);
}

/* The ring changes: foos alone are served, this bucket is ours. */
static inline void publish(enum ring_state state, int bucket)
{
	struct ring ring = { .state = state, .spec = &story->world.spec, .served = 1 };

	bucket_set_add(&ring.owned, bucket);
	bucket_set_add(&ring.shown[RESOURCE_MAIN], bucket);
	ring_publish(&story->ring, &ring);
	sessions_on_ring(story->sessions);
}

/* Foos are shown no bucket: we stand by, or are held back, as the first is to come. */
static inline void publish_none(bool is_held)
{
	struct ring ring = { .state = RING_ACTIVE,
			     .spec = &story->world.spec,
			     .served = 1,
			     .held = is_held };

	ring_publish(&story->ring, &ring);
	sessions_on_ring(story->sessions);
}

static inline void answer_write(uint64_t version)
{
	void (*written)(void *arg, uint64_t version) = story->written;

	ck_assert_ptr_nonnull(written);
	story->written = NULL;
	story->is_writing = false;
	written(story->written_arg, version);
}

static inline void answer_list(uint64_t version)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "{\"metadata\":{\"resourceVersion\":\"%ju\"},\"items\":[]}",
		 (uintmax_t)version);
	fake_answer(fake_expect(story->world.fake, LIST), 200, text);
	fake_settle(story->world.fake);
}

static inline void answer_floor(uint64_t version)
{
	answer_write(version - 1);
	answer_list(version);
}

static inline const struct view *admitted(void)
{
	const struct relay_request request = {
		.resource = &story->world.spec.resources[FOOS],
	};

	return story->relay.admit(story->relay.arg, &request);
}

static inline struct exchange *open_stream(bool is_watch)
{
	static const struct upstream_head head = { .status = 200 };
	struct exchange *exchange = &story->exchanges[story->exchanges_n++];
	const struct relay_request request = {
		.resource = &story->world.spec.resources[FOOS],
		.is_watch = is_watch,
	};
	const struct view view = { .standing = VIEW_STANDS_BY_FLOOR };

	exchange->stream =
		story->relay.open(story->relay.arg, &request, &view, exchange);
	story->relay.head(exchange->stream, &head);
	return exchange;
}

static inline void close_stream(struct exchange *exchange)
{
	struct stream *stream = exchange->stream;

	exchange->stream = NULL;
	story->relay.close(stream);
}

/* Passes bytes; how many go on, or -1 when the answer ends behind them. */
static inline int pass(struct exchange *exchange, const char *bytes)
{
	bool ends;
	size_t n;
	int rc = story->relay.pass(exchange->stream, slice_of(bytes), &n, &ends);

	ck_assert_int_eq(rc, 0);
	return ends ? -1 : (int)n;
}

static inline void check_serving(int bucket, uint64_t floor)
{
	const struct view *view = admitted();

	ck_assert_ptr_nonnull(view);
	ck_assert_int_eq(bucket_set_count(&view->set), 1);
	ck_assert(bucket_set_has(&view->set, bucket));
	ck_assert_uint_eq(view->floor, floor);
}

static inline int64_t value(int which)
{
	return sessions_values(story->sessions)[which];
}

static inline const char *state(void)
{
	static struct sessions_resource_report report[SPEC_RESOURCES_MAX];

	ck_assert_int_eq(sessions_report(story->sessions, report), 3);
	return report[FOOS].state;
}

static inline void serve(void)
{
	begin();
	publish(RING_ACTIVE, 7);
	answer_floor(100);
	check_serving(7, 100);
}

#endif
