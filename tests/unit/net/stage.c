#include "tests/unit/net/stage.h"

#include <signal.h>
#include <stdio.h>

#define TURNS_MAX 2000

static const struct view *admit(void *arg, const struct relay_request *request)
{
	(void)arg, (void)request;
	return NULL;
}

static const struct filter *const chain[] = { &filter_narrow, &filter_fence, NULL };

void stage_open(struct stage *stage, int64_t hold_ms)
{
	struct err err = { "" };
	char *ca_pem;

	signal(SIGPIPE, SIG_IGN);
	*stage = (struct stage){ .port = peer_free_port() };
	fake_ring_init(&stage->ring);
	stage->fake = stage->ring.fake;
	stage->loop = stage->fake->loop;
	fake_ring_learn(&stage->ring);
	ring_holder_init(&stage->holder, &stage->ring.spec);
	stage->locator = locator_create(&stage->fake->api, stage->ring.catalog,
					&stage->ring.spec);
	snprintf(stage->address, sizeof(stage->address), "127.0.0.1:%d", stage->port);
	stage->server = (struct server){
		.loop = stage->loop,
		.upstream = &stage->fake->super,
		.spec = &stage->ring.spec,
		.ring = &stage->holder,
		.locator = stage->locator,
		.chain = chain,
		.relay = { .admit = admit },
		.conf = { .https = "off",
			  .http = stage->address,
			  .hold_ms = hold_ms,
			  .body_bytes = 65536,
			  .head_bytes = 32768,
			  .connections_max = 4,
			  .memory_bytes = 64 << 20 },
	};
	server_init(&stage->server);
	ck_assert_msg(
		listener_create(&stage->listener, &stage->server, &ca_pem, &err) == 0,
		"%s", err.text);
}

void stage_close(struct stage *stage)
{
	listener_destroy(stage->listener);
	server_finish(&stage->server);
	locator_destroy(stage->locator);
	ring_holder_finish(&stage->holder);
	fake_ring_finish(&stage->ring);
}

void stage_wait_open(struct stage *stage, size_t n)
{
	for (int i = 0; server_open_count(&stage->server) != n; i++) {
		ck_assert_msg(i < TURNS_MAX, "%zu exchanges are under way, not %zu",
			      server_open_count(&stage->server), n);
		peer_settle(stage->loop);
	}
}
