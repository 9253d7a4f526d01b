#include "proxy/member/right.h"

#include "proxy/base/log.h"

int64_t right_until_ms(const struct right *right)
{
	const struct member_conf *conf = &right->context->conf;

	if (right->sent_ms == 0)
		return 0;
	return right->sent_ms + conf->lease_duration_ms - conf->lease_margin_ms;
}

int64_t right_over_ms(const struct right *right)
{
	return right->sent_ms + right->context->conf.lease_duration_ms;
}

bool right_is_held(const struct right *right)
{
	return loop_now_ms(right->context->loop) < right_until_ms(right);
}

/* Whatever happened: what does it mean? */
static void right_review(struct right *right)
{
	struct member_context *context = right->context;
	int64_t left_ms = right_until_ms(right) - loop_now_ms(context->loop);
	bool was_held = right->is_held;

	right->is_held = left_ms > 0;
	if (right->is_held)
		loop_timer_start(context->loop, &right->timer, left_ms);
	else
		loop_timer_stop(&right->timer);
	if (was_held && !right->is_held) {
		context->values[MEMBER_RIGHTS_LOST]++;
		log_warn("keeper",
			 "right lost: no write passes until our Lease is renewed",
			 log_text("member", context->conf.id));
	} else if (!was_held && right->is_held) {
		log_info("keeper", "right to write, until the Lease runs out",
			 log_text("member", context->conf.id), log_int("ms", left_ms));
	}
	right->on_change(right->arg);
}

static void right_on_timer(void *arg)
{
	right_review(arg);
}

void right_init(struct right *right, struct member_context *context,
		void (*on_change)(void *arg), void *arg)
{
	*right = (struct right){ .context = context,
				 .on_change = on_change,
				 .arg = arg,
				 .contact_ms = INT64_MAX };
	loop_timer_init(&right->timer, right_on_timer, right);
}

void right_finish(struct right *right)
{
	loop_timer_stop(&right->timer);
}

void right_extend(struct right *right, int64_t sent_ms)
{
	/* A right that had run out: we, or the way to the API server, stood still. */
	if (right->contact_ms == INT64_MAX || !right_is_held(right))
		right->contact_ms = loop_now_ms(right->context->loop);
	right->sent_ms = sent_ms;
	right_review(right);
}

void right_lose_contact(struct right *right)
{
	right->contact_ms = INT64_MAX;
	right->on_change(right->arg);
}

void right_end(struct right *right)
{
	right->sent_ms = 0;
	right->contact_ms = INT64_MAX;
	right_review(right);
}
