/*
 * An API server made of a test: an upstream backend whose transfers are answered
 * by hand, byte for byte, on the real loop. What is asked appears in the order of
 * asking; fake_expect waits for it.
 *
 *	t = fake_expect(fake, "GET /apis/apps/v1?");
 *	fake_answer(t, 200, "{...}");
 */
#ifndef RINGSIDE_UNIT_NET_FAKE_API_H
#define RINGSIDE_UNIT_NET_FAKE_API_H

#include "proxy/net/api.h"
#include "tests/unit/unit.h"

struct fake_api {
	struct upstream super;
	struct loop *loop;
	struct api api;
	struct list open; /* transfers, the oldest first */
	/* Answers what is asked, from the loop, instead of fake_expect. */
	void (*serve)(void *arg, struct transfer *transfer);
	void *arg;
	/* Called in each turn of fake_settle; may be NULL. */
	void (*on_turn)(void);
	/* Its own. */
	bool is_waiting;
	int turns_left;
	struct loop_task turn;
	struct loop_timer too_long;
};

struct fake_api *fake_create(void);

/* Asserts that no transfer is left. */
void fake_destroy(struct fake_api *fake);

/*
 * Runs the loop until something is asked that nobody has answered; asserts that
 * "<method> <target>" begins with this text, and returns it.
 */
struct transfer *fake_expect(struct fake_api *fake, const char *text);

/* Runs the loop until what is to be done at once is done. */
void fake_settle(struct fake_api *fake);

/* Runs the loop until *is_true, and fails when that takes too long. */
void fake_run_until(struct fake_api *fake, const bool *is_true);

/* How many transfers are open that nobody has answered. */
size_t fake_unanswered(const struct fake_api *fake);
/* How many are open at all. */
size_t fake_open(const struct fake_api *fake);
/* Whether it is; looked up, so it may be gone. */
bool fake_is_open(const struct fake_api *fake, const struct transfer *transfer);

/* What is asked: "<method> <target>", and the rest. Borrowed. */
const char *fake_line(const struct transfer *transfer);
const char *fake_accept(const struct transfer *transfer);
struct slice fake_body(const struct transfer *transfer);

/* Answers whole; the body is JSON. */
void fake_answer(struct transfer *transfer, int status, const char *body);

/* The same in parts. field: one header, "Name: value", or NULL. */
void fake_begin(struct transfer *transfer, int status, const char *field);
void fake_send(struct transfer *transfer, const char *bytes);
void fake_send_bytes(struct transfer *transfer, struct slice bytes);
void fake_end(struct transfer *transfer, enum upstream_result result);

#endif
