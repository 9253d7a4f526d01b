#include "proxy/member/stakes.h"

#include <stdlib.h>

#include "proxy/base/log.h"

struct line {
	struct stakes *stakes;
	const struct ring_lock *lock;
	struct stake stake;
	struct lease_copy seen; /* empty: there is none */
	struct api_call *call;
	enum lease_verb verb;
	struct loop_timer timer; /* the next request */
	enum stake_holder told;
	bool is_foreign; /* until it is the ring's, by our evidence */
	bool is_brief;   /* as told */
	bool was_held;
};

struct stakes {
	struct member_context *context;
	void (*on_change)(void *arg);
	void *arg;
	const char *holder;         /* the ring's name */
	struct loop_timer deadline; /* evidence of a lock ends */
	bool is_wanted, is_in_charge, is_leaving;
	int lines_n;
	struct line lines[SPEC_LOCKS_MAX];
};

static struct stake_question line_question(const struct line *line)
{
	const struct stakes *stakes = line->stakes;
	const struct member_conf *conf = &stakes->context->conf;

	return (struct stake_question){
		.is_wanted = stakes->is_wanted,
		.is_leaving = stakes->is_leaving,
		.is_in_charge = stakes->is_in_charge,
		.duration_ms = conf->lease_duration_ms,
		.margin_ms = conf->lease_margin_ms,
		.now_ms = loop_now_ms(stakes->context->loop),
	};
}

static int64_t line_until_ms(const struct line *line)
{
	const struct stake_question question = line_question(line);

	return stake_until_ms(&line->stake, &question);
}

static bool line_is_held(const struct line *line)
{
	return loop_now_ms(line->stakes->context->loop) < line_until_ms(line);
}

/* --- what follows from what is known --- */

static void stakes_count(struct stakes *stakes)
{
	int64_t *values = stakes->context->values;

	values[MEMBER_LOCKS_HELD] = values[MEMBER_LOCKS_FOREIGN] = 0;
	for (int i = 0; i < stakes->lines_n; i++) {
		values[MEMBER_LOCKS_HELD] += line_is_held(&stakes->lines[i]);
		values[MEMBER_LOCKS_FOREIGN] += stakes->lines[i].stake.holder ==
						STAKE_FOREIGN;
	}
}

static void line_tell(struct line *line)
{
	static const char *const messages[] = {
		[STAKE_UNKNOWN] = "the controller's lock is not known",
		[STAKE_NOBODY] = "the controller's lock is free",
		[STAKE_RING] = "the ring holds the controller's lock",
		[STAKE_FOREIGN] =
			"a replica that runs without Ringside holds the controller's "
			"lock; the ring waits",
	};
	enum stake_holder holder = line->stake.holder;

	if (line->told == holder)
		return;
	line->told = holder;
	LOG_AT(holder == STAKE_FOREIGN ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "stake",
	       messages[holder], log_slice("namespace", line->lock->namespace),
	       log_slice("lease", line->lock->name),
	       log_slice("holder", line->seen.lease.holder));
}

/* What stands on it is the controller's own to choose. */
static void line_warn(struct line *line)
{
	const struct stake_question question = line_question(line);
	bool was_brief = line->is_brief;

	line->is_brief = stake_is_brief(&line->stake, &question);
	if (line->is_brief && !was_brief)
		log_warn(
			"stake",
			"the controller's lock lasts less than twice lease.margin: the "
			"ring stops writing when one renewal is late; choose a "
			"smaller margin, or a longer lock",
			log_slice("namespace", line->lock->namespace),
			log_slice("lease", line->lock->name),
			log_int("duration_ms", line->stake.duration_ms),
			log_int("margin_ms", question.margin_ms));
}

static void stakes_review(struct stakes *stakes)
{
	int64_t now_ms = loop_now_ms(stakes->context->loop);
	int64_t until_ms = stakes_until_ms(stakes);

	for (int i = 0; i < stakes->lines_n; i++) {
		struct line *line = &stakes->lines[i];

		line_tell(line);
		line_warn(line);
		if (line->stake.holder == STAKE_FOREIGN)
			line->is_foreign = true;
		else if (line_is_held(line))
			line->is_foreign = false, line->was_held = true;
	}
	stakes_count(stakes);
	if (until_ms > now_ms && until_ms < INT64_MAX)
		loop_timer_start(stakes->context->loop, &stakes->deadline,
				 until_ms - now_ms);
	else
		loop_timer_stop(&stakes->deadline);
	stakes->on_change(stakes->arg);
}

static void stakes_on_deadline(void *arg)
{
	stakes_review(arg);
}

/* --- asking --- */

static void line_act(struct line *line);

static void line_wait(struct line *line, int64_t wait_ms)
{
	loop_timer_start(line->stakes->context->loop, &line->timer, wait_ms);
}

static void line_see(struct line *line, const struct lease *lease, int64_t sent_ms)
{
	const struct stake_question question = line_question(line);

	stake_see(&line->stake,
		  &(struct stake_sight){ .lease = lease,
					 .is_written = line->verb != LEASE_GET,
					 .sent_ms = sent_ms,
					 .now_ms = question.now_ms },
		  slice_of(line->stakes->holder));
	if (lease)
		lease_copy_set(&line->seen, lease);
	else
		lease_copy_clear(&line->seen);
	/* What a read asks for is done at once. */
	if (line->verb == LEASE_GET &&
	    stake_next(&line->stake, &question) != STAKE_READ)
		line_act(line);
	else
		line_wait(line, stake_beat_ms(&line->stake, &question));
	stakes_review(line->stakes);
}

static void line_read(struct line *line);

static void line_on_answer(void *arg, const struct api_answer *answer)
{
	struct line *line = arg;
	struct member_context *context = line->stakes->context;
	struct lease lease = { 0 };
	struct err err;

	line->call = NULL;
	switch (lease_call_outcome(context, line->verb, answer, &lease, &err)) {
	case LEASE_OK:
		line_see(line, &lease, answer->sent_ms);
		return;
	case LEASE_ABSENT:
		line_see(line, NULL, answer->sent_ms);
		return;
	case LEASE_CONFLICT:
		/* Somebody was faster; what stands there now decides. */
		line_read(line);
		return;
	case LEASE_FAILED:
		log_warn("stake",
			 "the controller's lock could not be asked for; trying on",
			 log_slice("namespace", line->lock->namespace),
			 log_slice("lease", line->lock->name),
			 log_text("error", err.text));
		line_wait(line, member_retry_ms(context));
		return;
	}
}

static void line_call(struct line *line, enum lease_verb verb,
		      const struct lease *lease)
{
	line->verb = verb;
	line->call =
		lease_call(line->stakes->context, verb, lease, line_on_answer, line);
}

static void line_read(struct line *line)
{
	const struct lease lease = { .name = line->lock->name,
				     .namespace = line->lock->namespace };

	line_call(line, LEASE_GET, &lease);
}

/* As the ring's, or as nobody's. Other fields stay as they are. */
static void line_write(struct line *line, enum lease_verb verb, bool gives_up)
{
	const struct stake_question question = line_question(line);
	struct lease lease = line->seen.lease;
	struct slice holder = slice_of(gives_up ? NULL : line->stakes->holder);
	char now[CLOCK_WALL_BYTES];

	clock_wall_text(now);
	if (!slice_eq(lease.holder, holder) && !gives_up) {
		lease.acquire_time = slice_of(now);
		lease.transitions++;
	}
	lease.name = line->lock->name;
	lease.namespace = line->lock->namespace;
	lease.ring = slice_of(NULL);
	lease.holder = holder;
	lease.renew_time = slice_of(now);
	/* As client-go does: nobody need wait. */
	lease.duration_s =
		gives_up ? 1
			 : (stake_duration_ms(&line->stake, &question) + 999) / 1000;
	line_call(line, verb, &lease);
}

static void line_act(struct line *line)
{
	const struct stake_question question = line_question(line);

	if (line->call)
		return;
	loop_timer_stop(&line->timer);
	switch (stake_next(&line->stake, &question)) {
	case STAKE_REST:
		return;
	case STAKE_READ:
		line_read(line);
		return;
	case STAKE_CREATE:
		line_write(line, LEASE_CREATE, false);
		return;
	case STAKE_TAKE:
		line_write(line, LEASE_PATCH, false);
		return;
	case STAKE_GIVE_UP:
		line_write(line, LEASE_PATCH, true);
		return;
	}
}

static void line_on_timer(void *arg)
{
	line_act(arg);
}

/* --- what others ask --- */

void stakes_think(struct stakes *stakes, bool is_wanted, bool is_in_charge)
{
	stakes->is_wanted = is_wanted;
	stakes->is_in_charge = is_in_charge;
	for (int i = 0; i < stakes->lines_n; i++)
		if (!loop_timer_is_running(&stakes->lines[i].timer))
			line_act(&stakes->lines[i]);
}

void stakes_give_up(struct stakes *stakes)
{
	stakes->is_leaving = true;
	for (int i = 0; i < stakes->lines_n; i++)
		line_act(&stakes->lines[i]);
}

bool stakes_are_given_up(const struct stakes *stakes)
{
	for (int i = 0; i < stakes->lines_n; i++)
		if (stakes->lines[i].stake.holder == STAKE_RING ||
		    stakes->lines[i].call)
			return false;
	return true;
}

int64_t stakes_until_ms(const struct stakes *stakes)
{
	int64_t until_ms = INT64_MAX;

	for (int i = 0; i < stakes->lines_n; i++)
		if (line_until_ms(&stakes->lines[i]) < until_ms)
			until_ms = line_until_ms(&stakes->lines[i]);
	return until_ms;
}

bool stakes_are_foreign(const struct stakes *stakes)
{
	for (int i = 0; i < stakes->lines_n; i++)
		if (stakes->lines[i].is_foreign)
			return true;
	return false;
}

bool stakes_were_held(const struct stakes *stakes)
{
	for (int i = 0; i < stakes->lines_n; i++)
		if (!stakes->lines[i].was_held)
			return false;
	return true;
}

int stakes_report(const struct stakes *stakes, struct stake_report *out)
{
	static const char *const states[] = { [STAKE_UNKNOWN] = "unknown",
					      [STAKE_NOBODY] = "free",
					      [STAKE_RING] = "held",
					      [STAKE_FOREIGN] = "foreign" };

	for (int i = 0; i < stakes->lines_n; i++)
		out[i] = (struct stake_report){
			.lock = stakes->lines[i].lock,
			.holder = stakes->lines[i].seen.lease.holder,
			.state = states[stakes->lines[i].stake.holder],
		};
	return stakes->lines_n;
}

/* --- life --- */

struct stakes *stakes_create(struct member_context *context,
			     void (*on_change)(void *arg), void *arg)
{
	struct stakes *stakes = calloc(1, sizeof(*stakes));

	if (!stakes)
		abort();
	*stakes = (struct stakes){ .context = context,
				   .on_change = on_change,
				   .arg = arg,
				   .lines_n = context->spec->locks_n };
	stakes->holder = arena_printf(context->arena, "ringside.dev/%s/%.*s",
				      context->conf.namespace,
				      SLICE_ARGS(context->spec->ring));
	loop_timer_init(&stakes->deadline, stakes_on_deadline, stakes);
	for (int i = 0; i < stakes->lines_n; i++) {
		struct line *line = &stakes->lines[i];

		line->stakes = stakes;
		line->lock = &context->spec->locks[i];
		loop_timer_init(&line->timer, line_on_timer, line);
	}
	return stakes;
}

void stakes_destroy(struct stakes *stakes)
{
	for (int i = 0; i < stakes->lines_n; i++) {
		api_cancel(stakes->lines[i].call);
		loop_timer_stop(&stakes->lines[i].timer);
		lease_copy_clear(&stakes->lines[i].seen);
	}
	loop_timer_stop(&stakes->deadline);
	free(stakes);
}
