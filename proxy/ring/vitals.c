#include "proxy/ring/vitals.h"

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Whether a controller like this one would show the sign if it were alive. */
static bool is_expected(const struct vitals *vitals, enum vitals_sign sign)
{
	switch (sign) {
	case VITALS_LOCK:
		return vitals->locked_ms > 0;
	case VITALS_GONE:
		return vitals->watched_ms > 0;
	case VITALS_STUCK:
		return vitals->taken_ms > 0;
	case VITALS_HEALTH:
		return vitals->has_health;
	case VITALS_SIGNS_N:
		break;
	}
	return false;
}

/* When it was shown last. */
static int64_t shown_ms(const struct vitals *vitals, enum vitals_sign sign)
{
	switch (sign) {
	case VITALS_LOCK:
		return vitals->locked_ms;
	case VITALS_GONE:
		return later(vitals->connected_ms, vitals->requested_ms);
	case VITALS_STUCK:
		return later(vitals->taken_ms, vitals->requested_ms);
	case VITALS_HEALTH:
		return vitals->healthy_ms;
	case VITALS_SIGNS_N:
		break;
	}
	return 0;
}

static enum vitals_sign missing(const struct vitals_question *question)
{
	const struct vitals *vitals = question->vitals;

	if (question->silence_ms == 0 || question->since_ms > question->now_ms)
		return VITALS_ALIVE;
	for (int i = 0; i < VITALS_SIGNS_N; i++) {
		enum vitals_sign sign = (enum vitals_sign)i;
		int64_t from_ms = later(shown_ms(vitals, sign), question->since_ms);

		if (is_expected(vitals, sign) &&
		    question->now_ms - from_ms >= question->silence_ms)
			return sign;
	}
	return VITALS_ALIVE;
}

bool vitals_step(struct vitals_state *state, const struct vitals_question *question)
{
	enum vitals_sign before = state->silent;

	if (before != VITALS_ALIVE &&
	    shown_ms(question->vitals, before) <= state->silent_ms &&
	    question->silence_ms > 0)
		return false;
	state->silent = missing(question);
	if (state->silent != before)
		state->silent_ms = question->now_ms;
	return state->silent != before;
}

const char *vitals_complaint(enum vitals_sign sign)
{
	switch (sign) {
	case VITALS_LOCK:
		return "its controller does not renew its lock";
	case VITALS_GONE:
		return "its controller is gone";
	case VITALS_STUCK:
		return "its controller does not take what is sent to it";
	case VITALS_HEALTH:
		return "its controller's health URL gives no good answer";
	case VITALS_SIGNS_N:
		break;
	}
	return "";
}
