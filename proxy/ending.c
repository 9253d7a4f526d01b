#include "proxy/ending.h"

#include "proxy/base/log.h"
#include "proxy/keepsake.h"
#include "proxy/ring/parting.h"

/* How often we look, and how long connections may linger. */
#define LOOK_MS 20
#define LINGER_MS 1000

static void on_drain_timer(struct ending *ending)
{
	int64_t now = loop_now_ms(ending->loop);

	if (now >= ending->drain_until_ms)
		server_cut_all(ending->server);
	if (server_open_count(ending->server) == 0)
		listener_cut(ending->listener);
	if (listener_connections(ending->listener) == 0 ||
	    now >= ending->drain_until_ms + LINGER_MS) {
		loop_stop(ending->loop);
		return;
	}
	loop_timer_start(ending->loop, &ending->timer, LOOK_MS);
}

static void on_left(void *arg)
{
	struct ending *ending = arg;

	log_info("proxy", "left the ring, draining",
		 log_int("open", (int64_t)server_open_count(ending->server)));
	ending->drain_until_ms = loop_now_ms(ending->loop) +
				 ending->server->conf.drain_ms;
	listener_drain(ending->listener);
	server_drain(ending->server);
	/* No watch is open any more, and none begins. */
	if (ending->keeps)
		keepsake_leave(ending->conf->lock_file, ending->sessions);
	on_drain_timer(ending);
}

static void on_parting_timer(struct ending *ending)
{
	const struct parting_facts facts = {
		.mode = (enum parting_mode)ending->conf->on_stop,
		.holds_lock = membership_holds_lock(ending->membership),
		.connections = listener_connections(ending->listener),
		.asked_ms = ending->asked_ms,
		.now_ms = loop_now_ms(ending->loop),
	};
	enum parting parting = parting_decide(&facts);

	if (parting == PARTING_WAIT) {
		loop_timer_start(ending->loop, &ending->timer, LOOK_MS);
		return;
	}
	ending->keeps = parting == PARTING_KEEP;
	log_info("proxy",
		 ending->keeps ? "keeps its buckets for the proxy that comes back here"
			       : "leaves the ring",
		 log_int("connections", (int64_t)facts.connections));
	membership_leave(ending->membership,
			 &(struct membership_parting){
				 .keeps = ending->keeps,
				 .timeout_ms = ending->server->conf.drain_ms,
				 .on_left = on_left,
				 .arg = ending,
			 });
}

static void on_timer(void *arg)
{
	struct ending *ending = arg;

	if (ending->drain_until_ms > 0)
		on_drain_timer(ending);
	else
		on_parting_timer(ending);
}

void ending_init(struct ending *ending)
{
	loop_timer_init(&ending->timer, on_timer, ending);
}

void ending_finish(struct ending *ending)
{
	loop_timer_stop(&ending->timer);
}

void ending_begin(struct ending *ending, int signal)
{
	if (ending->has_begun) {
		log_warn("proxy", "told to end again, ending now",
			 log_int("signal", signal));
		loop_stop(ending->loop);
		return;
	}
	ending->has_begun = true;
	ending->asked_ms = loop_now_ms(ending->loop);
	log_info("proxy", "told to end", log_int("signal", signal));
	on_parting_timer(ending);
}
