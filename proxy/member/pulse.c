#include "proxy/member/pulse.h"

#include "proxy/base/log.h"

#define LOOK_MS 500
/* Who looks so late was stopped, and has heard nothing meanwhile. */
#define STILL_MS (4 * LOOK_MS)

static void pulse_tell(struct pulse *pulse, enum vitals_sign before)
{
	bool is_silent = pulse->state.silent != VITALS_ALIVE;

	if (is_silent)
		log_error("pulse", "our controller is silent; its buckets go to others",
			  log_text("reason", vitals_complaint(pulse->state.silent)),
			  log_int("silence_ms",
				  pulse->context->conf.controller_silence_ms));
	else
		log_info("pulse", "our controller is heard of again",
			 log_text("before", vitals_complaint(before)));
	pulse->context->values[MEMBER_IS_UNATTENDED] = is_silent;
	keeper_set_unattended(pulse->keeper, is_silent);
}

static void pulse_on_timer(void *arg)
{
	struct pulse *pulse = arg;
	int64_t now_ms = loop_now_ms(pulse->context->loop);
	enum vitals_sign before = pulse->state.silent;

	bool stood_still = now_ms - pulse->looked_ms > STILL_MS;

	pulse->looked_ms = now_ms;
	if (!ring_is_ready(pulse->ring->current))
		pulse->since_ms = INT64_MAX;
	else if (pulse->since_ms == INT64_MAX || stood_still)
		pulse->since_ms = now_ms;
	if (vitals_step(
		    &pulse->state,
		    &(struct vitals_question){
			    .vitals = &pulse->ring->vitals,
			    .silence_ms = pulse->context->conf.controller_silence_ms,
			    .since_ms = pulse->since_ms,
			    .now_ms = now_ms,
		    }))
		pulse_tell(pulse, before);
	loop_timer_start(pulse->context->loop, &pulse->timer, LOOK_MS);
}

void pulse_init(struct pulse *pulse)
{
	pulse->state = (struct vitals_state){ .silent = VITALS_ALIVE };
	pulse->since_ms = INT64_MAX;
	pulse->looked_ms = loop_now_ms(pulse->context->loop);
	loop_timer_init(&pulse->timer, pulse_on_timer, pulse);
	loop_timer_start(pulse->context->loop, &pulse->timer, LOOK_MS);
}

void pulse_finish(struct pulse *pulse)
{
	loop_timer_stop(&pulse->timer);
}

const char *pulse_complaint(const struct pulse *pulse)
{
	return vitals_complaint(pulse->state.silent);
}
