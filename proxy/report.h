/*
 * What /ring says, as JSON: who we are, what we own, who else is there, and each
 * resource's view.
 */
#ifndef RINGSIDE_REPORT_H
#define RINGSIDE_REPORT_H

#include "proxy/member/membership.h"
#include "proxy/session/session.h"

struct report {
	const struct ring_spec *spec;
	const struct ring *ring;
	const struct member_conf *member;
	const struct membership *membership;
	const struct sessions *sessions;
	int64_t now_ms;
};

/* Appends the object. 0 or -EMSGSIZE. */
int report_write(const struct report *report, struct buf *out);

#endif
