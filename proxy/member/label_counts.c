#include <assert.h>

#include "proxy/member/labeller.h"

const struct metric labeller_metrics[] = {
	{ "ringside_labelled_objects_total", NULL, METRIC_COUNTER,
	  "Objects that this member gave a bucket label." },
	{ "ringside_unrelated_objects_total", NULL, METRIC_COUNTER,
	  "Objects without a bucket label that were seen to belong to nobody." },
	{ "ringside_garbage_labels_total", NULL, METRIC_COUNTER,
	  "Bucket labels seen that name no bucket, as somebody else wrote them." },
	{ "ringside_misplaced_objects_total", NULL, METRIC_COUNTER,
	  "Owned objects seen whose label was not their owner's; they get that." },
	{ "ringside_label_conflicts_total", NULL, METRIC_COUNTER,
	  "Label patches that met a newer version of the object." },
	{ "ringside_label_failures_total", NULL, METRIC_COUNTER,
	  "Label patches, look-ups, lists and watches that failed otherwise." },
	{ "ringside_unlabelled_objects", NULL, METRIC_GAUGE,
	  "Objects that wait for a bucket label; no controller sees main ones." },
	{ "ringside_unlabelled_oldest_milliseconds", NULL, METRIC_GAUGE,
	  "For how long the oldest of the objects that wait for a label has waited." },
};

static_assert(sizeof(labeller_metrics) / sizeof(labeller_metrics[0]) ==
		      LABELLER_METRICS_N,
	      "a row for each value");
