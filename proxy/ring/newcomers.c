#include "proxy/ring/newcomers.h"

/* What is known of an object, by its name. */
enum {
	MARK_LISTED = 1, /* the client was given it, as it is at F */
	MARK_ABSENT,     /* it does not hold it */
	MARK_PERHAPS,    /* it may: it saw the object in another bucket, or in none */
};

static int note(struct newcomers *newcomers, uint64_t object, uint8_t mark)
{
	return marks_set(&newcomers->names, object, mark, NEWCOMERS_MAX);
}

int newcomers_list(struct newcomers *newcomers, uint64_t object)
{
	return note(newcomers, object, MARK_LISTED);
}

/*
 * In a bucket that came, and by F not there any more: the client is told nothing but
 * that it is gone, if it may hold it.
 */
static int leave_out_passing(struct newcomers *newcomers,
			     const struct newcomer_event *event, uint8_t mark)
{
	int rc = 0;

	if (event->type == WATCH_ADDED)
		rc = note(newcomers, event->object, MARK_ABSENT);
	else if (event->type == WATCH_MODIFIED && mark == 0)
		rc = note(newcomers, event->object, MARK_PERHAPS);
	else if (event->type == WATCH_DELETED && mark == MARK_PERHAPS)
		return 0;
	return rc < 0 ? rc : 1;
}

int newcomers_leave_out(struct newcomers *newcomers, const struct newcomer_event *event)
{
	uint8_t mark = marks_get(&newcomers->names, event->object);

	if (event->version > newcomers->floor)
		return 0;
	if (mark == MARK_LISTED)
		return 1;
	if (event->bucket >= 0 && bucket_set_has(&newcomers->acquired, event->bucket))
		return leave_out_passing(newcomers, event, mark);
	/* It goes on: the client holds it from now on, or not. */
	return mark == MARK_ABSENT ? note(newcomers, event->object, MARK_PERHAPS) : 0;
}

void newcomers_forget(struct newcomers *newcomers)
{
	marks_clear(&newcomers->names);
}
