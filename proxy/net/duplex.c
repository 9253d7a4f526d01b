#include "proxy/net/duplex.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <h2o.h>

#include "proxy/net/connections.h"

struct duplex {
	struct loop *loop;
	h2o_socket_t *client;
	struct dial *dial;
	void (*on_end)(void *arg);
	void *arg;
	struct loop_timer linger; /* since the last byte that left */
	bool is_writing;          /* h2o holds `down` */
	bool is_client_over;
	bool is_upstream_over;
	bool is_ended;
	size_t up_at, up_n;
	size_t down_n;
	char up[DUPLEX_BYTES]; /* refilled when empty only: see dial_send */
	char down[DUPLEX_BYTES];
};

static void end(struct duplex *duplex)
{
	duplex->is_ended = true;
	loop_timer_stop(&duplex->linger);
	connection_on_hangup(connection_of(duplex->client), NULL, NULL);
	dial_want(duplex->dial, false, false);
	h2o_socket_read_stop(duplex->client);
	duplex->on_end(duplex->arg);
}

static void on_linger(void *arg)
{
	end(arg);
}

static void linger(struct duplex *duplex)
{
	loop_timer_start(duplex->loop, &duplex->linger, DUPLEX_LINGER_MS);
}

/* A client that is not read, as upstream does not read either, is not seen to go. */
static void on_hangup(void *arg)
{
	struct duplex *duplex = arg;

	if (!loop_timer_is_running(&duplex->linger))
		linger(duplex);
}

static void on_client_written(h2o_socket_t *client, const char *err)
{
	struct duplex *duplex = client->data;

	duplex->is_writing = false;
	duplex->down_n = 0;
	if (err != NULL)
		duplex->is_client_over = true;
	if (loop_timer_is_running(&duplex->linger))
		linger(duplex);
	duplex_pump(duplex);
}

static void on_client_read(h2o_socket_t *client, const char *err)
{
	struct duplex *duplex = client->data;

	if (err != NULL)
		duplex->is_client_over = true;
	duplex_pump(duplex);
}

/* Whether there is something to send. */
static bool refill(struct duplex *duplex)
{
	h2o_socket_t *client = duplex->client;
	size_t n = client->input->size;

	if (duplex->up_at < duplex->up_n)
		return true;
	if (n == 0)
		return false;
	if (n > sizeof(duplex->up))
		n = sizeof(duplex->up);
	memcpy(duplex->up, client->input->bytes, n);
	h2o_buffer_consume(&client->input, n);
	duplex->up_at = 0;
	duplex->up_n = n;
	return true;
}

static void pump_up(struct duplex *duplex)
{
	size_t n;
	int rc = 0;

	while (rc == 0 && !duplex->is_upstream_over && refill(duplex)) {
		rc = dial_send(duplex->dial, duplex->up + duplex->up_at,
			       duplex->up_n - duplex->up_at, &n);
		if (rc == 0)
			duplex->up_at += n;
		else if (rc != -EAGAIN)
			duplex->is_upstream_over = true;
		if (rc == 0 && loop_timer_is_running(&duplex->linger))
			linger(duplex);
	}
}

static void pump_down(struct duplex *duplex)
{
	h2o_iovec_t out;
	size_t n = 0;
	int rc;

	if (duplex->is_writing || duplex->is_client_over)
		return;
	if (duplex->down_n == 0 && !duplex->is_upstream_over) {
		rc = dial_recv(duplex->dial, duplex->down, sizeof(duplex->down), &n);
		duplex->is_upstream_over = rc != -EAGAIN && (rc != 0 || n == 0);
		duplex->down_n = rc == 0 ? n : 0;
	}
	if (duplex->down_n == 0)
		return;
	out = h2o_iovec_init(duplex->down, duplex->down_n);
	duplex->is_writing = true;
	h2o_socket_write(duplex->client, &out, 1, on_client_written);
}

void duplex_pump(struct duplex *duplex)
{
	bool has_up, is_ending;

	if (duplex->is_ended)
		return;
	pump_up(duplex);
	pump_down(duplex);
	has_up = duplex->up_at < duplex->up_n;
	is_ending = duplex->is_client_over || duplex->is_upstream_over;
	if ((duplex->is_upstream_over && !duplex->is_writing) ||
	    (duplex->is_client_over && !has_up)) {
		end(duplex);
		return;
	}
	if (is_ending || has_up)
		h2o_socket_read_stop(duplex->client);
	else
		h2o_socket_read_start(duplex->client, on_client_read);
	dial_want(duplex->dial,
		  !duplex->is_writing && !duplex->is_client_over &&
			  !duplex->is_upstream_over,
		  has_up && !duplex->is_upstream_over);
	if (is_ending && !loop_timer_is_running(&duplex->linger))
		linger(duplex);
}

struct duplex *duplex_create(struct loop *loop, const struct duplex_sides *sides,
			     void (*on_end)(void *arg), void *arg)
{
	struct duplex *duplex = calloc(1, sizeof(*duplex));

	if (duplex == NULL)
		abort();
	assert(sides->first.len <= DUPLEX_BYTES);
	connection_bound_reads(connection_of(sides->client), DUPLEX_BYTES);
	duplex->loop = loop;
	duplex->client = sides->client;
	duplex->dial = sides->dial;
	duplex->on_end = on_end;
	duplex->arg = arg;
	duplex->down_n = sides->first.len;
	if (sides->first.len > 0)
		memcpy(duplex->down, sides->first.data, sides->first.len);
	duplex->client->data = duplex;
	loop_timer_init(&duplex->linger, on_linger, duplex);
	connection_on_hangup(connection_of(duplex->client), on_hangup, duplex);
	return duplex;
}

void duplex_close(struct duplex *duplex)
{
	if (duplex == NULL)
		return;
	loop_timer_stop(&duplex->linger);
	/* Also with a write under way: its callback does not come then. */
	h2o_socket_close(duplex->client);
	free(duplex);
}
