#include "proxy/member/conf.h"

#include "proxy/ring/parting.h"

#define ROW(field) .offset = offsetof(struct member_conf, field)
#define SECOND 1000
#define MINUTE (60 * SECOND)

static const char *const partings[] = {
	[PARTING_MODE_AUTO] = "auto",
	[PARTING_MODE_RELEASE] = "release",
	[PARTING_MODE_KEEP] = "keep",
	NULL,
};

const struct opt member_options[] = {
	{ .name = "member",
	  .type = OPT_TEXT,
	  ROW(id),
	  .value = "",
	  .flag = "member",
	  .environment = "RINGSIDE_MEMBER",
	  .help = "This member's id, unique in the ring; a DNS label. Empty: POD_NAME, "
		  "else the host name." },
	{ .name = "namespace",
	  .type = OPT_TEXT,
	  ROW(namespace),
	  .value = "",
	  .flag = "namespace",
	  .environment = "RINGSIDE_NAMESPACE",
	  .help = "Namespace of the ring's Leases and ConfigMap. Empty: the Pod's own, "
		  "else the kubeconfig context's, else default." },
	{ .name = "lockFile",
	  .type = OPT_TEXT,
	  ROW(lock_file),
	  .value = "",
	  .flag = "lock-file",
	  .environment = "RINGSIDE_LOCK_FILE",
	  .help = "A file on the replica's own disk, locked while the member runs. A "
		  "member that restarts in place and gets the lock again goes on at "
		  "once; without it, it waits until its former Lease has run out." },
	{ .name = "onStop",
	  .type = OPT_CHOICE,
	  ROW(on_stop),
	  .choices = partings,
	  .value = "auto",
	  .environment = "RINGSIDE_ON_STOP",
	  .reload = true,
	  .help = "What SIGTERM means for the member's buckets: release, they go to "
		  "others at once; keep, they wait for the member to restart in place, "
		  "until its Lease has run out; auto, keep if the controller is still "
		  "connected after two seconds. Without a lockFile they are always "
		  "released." },
	{ .name = "shards",
	  .type = OPT_INT,
	  ROW(shards),
	  .min = 1,
	  .max = 128,
	  .value = "1",
	  .reload = true,
	  .help = "How many members are active at once; further ones stand by." },
	{ .name = "generation",
	  .type = OPT_INT,
	  ROW(generation),
	  .min = 0,
	  .max = 1000000000,
	  .value = "0",
	  .reload = true,
	  .help = "Raise it together with shards where replicas may read different "
		  "versions of this file at the same time: a member with a lower "
		  "generation does not undo what one with a higher published." },
	{ .name = "controller.silence",
	  .type = OPT_DURATION,
	  ROW(controller_silence_ms),
	  .min = 0,
	  .max = 60 * MINUTE,
	  .value = "1m",
	  .reload = true,
	  .help = "How long the controller beside a member may go without a sign of "
		  "life before the member gives its buckets up: it renews its lock no "
		  "more, has no connection left where it watched before, or takes "
		  "nothing of what is sent to it and asks for nothing. One without "
		  "work is not silent. 0: it is not looked at." },
	{ .name = "lease.duration",
	  .type = OPT_DURATION,
	  ROW(lease_duration_ms),
	  .min = 2 * SECOND,
	  .max = 5 * MINUTE,
	  .value = "15s",
	  .help = "How long a member that is not heard of is still taken for alive." },
	{ .name = "lease.renew",
	  .type = OPT_DURATION,
	  ROW(lease_renew_ms),
	  .min = 200,
	  .max = MINUTE,
	  .value = "5s",
	  .help = "How often a member renews its Lease; at most a third of duration." },
	{ .name = "lease.margin",
	  .type = OPT_DURATION,
	  ROW(lease_margin_ms),
	  .min = 100,
	  .max = MINUTE,
	  .value = "3s",
	  .help = "How long before its Lease runs out a member stops writing: clock "
		  "drift over one duration plus the longest delay of a write." },
	{ .name = "handover.quiet",
	  .type = OPT_DURATION,
	  ROW(handover_quiet_ms),
	  .min = 0,
	  .max = MINUTE,
	  .value = "100ms",
	  .reload = true,
	  .help = "How long a member waits, once the objects of a bucket have left its "
		  "controller's views and writes to them are over, before it hands the "
		  "bucket over." },
	{ .name = "handover.settle",
	  .type = OPT_DURATION,
	  ROW(handover_settle_ms),
	  .min = 0,
	  .max = MINUTE,
	  .value = "100ms",
	  .reload = true,
	  .help = "How long owned objects of a bucket that a member takes are shown "
		  "to its controller before the main ones are." },
	{ .name = "handover.batch",
	  .type = OPT_DURATION,
	  ROW(handover_batch_ms),
	  .min = 0,
	  .max = 10 * SECOND,
	  .value = "250ms",
	  .reload = true,
	  .help = "How long the coordinator waits for more members to let go of their "
		  "buckets before it publishes the new owners of those that were." },
	{ .name = "handover.drainTimeout",
	  .type = OPT_DURATION,
	  ROW(handover_drain_timeout_ms),
	  .min = 100,
	  .max = 5 * MINUTE,
	  .value = "10s",
	  .reload = true,
	  .help = "How long writes under way may hold up a handover before they are "
		  "cut. One that was cut is waited for until it cannot arrive any "
		  "more." },
	{ .name = "label.concurrency",
	  .type = OPT_INT,
	  ROW(label_concurrency),
	  .min = 1,
	  .max = 64,
	  .value = "16",
	  .reload = true,
	  .help = "How many objects the coordinator labels at once." },
	{ .name = "label.rate",
	  .type = OPT_INT,
	  ROW(label_rate),
	  .min = 1,
	  .max = 10000,
	  .value = "1000",
	  .reload = true,
	  .help = "Most objects that the coordinator labels, per second." },
	{ .name = "label.audit",
	  .type = OPT_DURATION,
	  ROW(label_audit_ms),
	  .min = 0,
	  .max = 24 * 60 * MINUTE,
	  .value = "3m",
	  .reload = true,
	  .help = "How often the coordinator reads the metadata of owned objects, and "
		  "gives those their owner's label whose owner somebody else has "
		  "changed. 0: never." },
};

const size_t member_options_n = sizeof(member_options) / sizeof(member_options[0]);
