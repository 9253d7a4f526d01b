/*
 * How a member parts when it is told to end: does it give its buckets up, or is the
 * proxy alone about to be restarted, and goes on as the same incarnation (claim.h)?
 *
 * Told to end, a proxy cannot know. But in a Pod that goes away the controller ends
 * first, or at the same time; so a controller that stays connected tells that it will
 * be there after us. This is a guess, and nothing but time rests on it: to keep is
 * not to release, and a Lease whose holder does not come back runs out as after a
 * crash. Pure.
 */
#ifndef RINGSIDE_RING_PARTING_H
#define RINGSIDE_RING_PARTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long a controller may take to end that was told to at the same time. */
#define PARTING_WAIT_MS 2000

/* What the file asks for: an index into its choices. */
enum parting_mode { PARTING_MODE_AUTO, PARTING_MODE_RELEASE, PARTING_MODE_KEEP };

struct parting_facts {
	enum parting_mode mode;
	bool holds_lock; /* the lock file: who comes back can prove that we are gone */
	size_t connections; /* the controller's, as far as we can tell */
	int64_t asked_ms;   /* when we were told to end */
	int64_t now_ms;
};

enum parting {
	PARTING_WAIT,    /* go on as ever, and look again soon */
	PARTING_RELEASE, /* others get our buckets now */
	PARTING_KEEP,    /* they stay named for us until our Lease runs out */
};

enum parting parting_decide(const struct parting_facts *facts);

#endif
