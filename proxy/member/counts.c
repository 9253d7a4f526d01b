#include "proxy/member/counts.h"

const struct metric member_metrics[] = {
	[MEMBER_RENEWALS] = { "ringside_lease_renewals_total", NULL, METRIC_COUNTER,
			      "Writes of our membership Lease that were stored." },
	[MEMBER_RENEWAL_FAILURES] = { "ringside_lease_renewal_failures_total", NULL,
				      METRIC_COUNTER,
				      "Writes of our membership Lease that failed." },
	[MEMBER_RIGHTS_LOST] = { "ringside_right_losses_total", NULL, METRIC_COUNTER,
				 "Times that this member lost its right to write." },
	[MEMBER_REJOINS] = { "ringside_rejoins_total", NULL, METRIC_COUNTER,
			     "Incarnations that others ended while we ran." },
	[MEMBER_SEALS] = { "ringside_seals_total", NULL, METRIC_COUNTER,
			   "Members that we, as coordinator, found silent and ended." },
	[MEMBER_EPOCHS] = { "ringside_epochs_published_total", NULL, METRIC_COUNTER,
			    "Assignments that we, as coordinator, published." },
	[MEMBER_MOVES] = { "ringside_buckets_moved_total", NULL, METRIC_COUNTER,
			   "Buckets that changed their owner in what we published." },
	[MEMBER_IS_COORDINATOR] = { "ringside_is_coordinator", NULL, METRIC_GAUGE,
				    "1 while this member coordinates the ring." },
	[MEMBER_ALIVE] = { "ringside_members_alive", NULL, METRIC_GAUGE,
			   "Members that this one sees renew their Lease." },
	[MEMBER_EPOCH] = { "ringside_epoch", NULL, METRIC_GAUGE,
			   "Epoch of the newest assignment that this member knows." },
	[MEMBER_OWNED] = { "ringside_buckets_owned", NULL, METRIC_GAUGE,
			   "Buckets that this member owns." },
	[MEMBER_IS_UNATTENDED] = { "ringside_controller_silent", NULL, METRIC_GAUGE,
				   "1 while the controller beside this member shows no "
				   "sign of life, and others have its buckets." },
	[MEMBER_LOCKS_HELD] = { "ringside_locks_held", NULL, METRIC_GAUGE,
				"Leases of `locks` that this member knows to be the "
				"ring's." },
	[MEMBER_LOCKS_FOREIGN] = { "ringside_locks_foreign", NULL, METRIC_GAUGE,
				   "Leases of `locks` that a replica holds which runs "
				   "without Ringside: the ring waits for it." },
};
