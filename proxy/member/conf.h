/*
 * What can be configured about membership: who we are, Leases, shards, handovers,
 * labelling.
 */
#ifndef RINGSIDE_MEMBER_CONF_H
#define RINGSIDE_MEMBER_CONF_H

#include "proxy/base/opt.h"

struct member_conf {
	const char *id;        /* "" until resolved: pod name, else host name */
	const char *namespace; /* of Leases and assignment; "" until resolved */
	const char *lock_file; /* "" for none */
	int on_stop;           /* enum parting_mode */
	int64_t shards;
	int64_t generation;
	int64_t controller_silence_ms; /* 0: it is not looked at */
	int64_t lease_duration_ms;
	int64_t lease_renew_ms;
	int64_t lease_margin_ms;
	int64_t handover_quiet_ms;
	int64_t handover_settle_ms;
	int64_t handover_batch_ms;
	int64_t handover_drain_timeout_ms;
	int64_t label_concurrency;
	int64_t label_rate;
	int64_t label_audit_ms; /* 0: never */
};

extern const struct opt member_options[];
extern const size_t member_options_n;

#endif
