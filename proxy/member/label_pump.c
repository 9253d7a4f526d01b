/* The pump: keeps as much work under way as may be, and sees what comes of it. */
#include "proxy/member/labelling.h"

/* --- what came of an item --- */

static void item_fail(struct labeller *labeller, struct label_item *item,
		      const struct label_result *result)
{
	int source = item->source;
	struct resource *resource = labeller_resource(labeller, source);
	int64_t now_ms = labeller_now_ms(labeller);
	bool is_server = result->status == 0 || result->status == 429 ||
			 result->status >= 500;
	bool is_resource = result->status == 403 ||
			   result->status == LABEL_LOOKUP_FAILED;

	labeller->values[LABELLER_FAILURES]++;
	label_pass_tell_failure(&resource->pass, item, result, now_ms);
	if (is_server || is_resource)
		gate_shut(is_server ? &labeller->gate : &resource->gate, now_ms,
			  result->retry_after_ms, backoff_random());
	label_queue_retry(labeller->queue, item, now_ms, backoff_random());
	/* It may have been set aside, and made room. */
	labeller_queue_changed(labeller, source);
}

void label_pump_on_done(void *arg, struct label_item *item,
			const struct label_result *result)
{
	struct labeller *labeller = arg;
	struct resource *resource = labeller_resource(labeller, item->source);
	int64_t now_ms = labeller_now_ms(labeller);

	switch (result->outcome) {
	case LABEL_SET:
		labeller->values[LABELLER_LABELLED]++;
		resource->pass.objects += item->is_first;
		gate_open(&labeller->gate);
		gate_open(&resource->gate);
		labeller_finish(labeller, item);
		break;
	case LABEL_FOREIGN:
		labeller->values[LABELLER_UNRELATED]++;
		foreign_add(
			label_judge_foreign(&labeller->judge, resource->pass.resource),
			item->uid, item->owners, now_ms);
		labeller_finish(labeller, item);
		break;
	case LABEL_GONE:
		labeller_finish(labeller, item);
		break;
	case LABEL_CONFLICT:
		labeller->values[LABELLER_CONFLICTS]++;
		labeller_judge(labeller, item->source, result->meta, item);
		labeller_finish(labeller, item);
		break;
	case LABEL_FAILED:
		item_fail(labeller, item, result);
		break;
	}
}

/* --- the pump: keeps as much work under way as may be --- */

/* Starts the next item: 0. Else when to try again; INT64_MAX: not by itself. */
static int64_t pump_one(struct labeller *labeller, int64_t now_ms)
{
	int64_t wait_ms = token_bucket_wait_ms(&labeller->tokens,
					       labeller->env.conf->label_rate, now_ms);
	struct label_item *item;
	const struct gate *gate;

	if (gate_is_shut(&labeller->gate, now_ms))
		return labeller->gate.until_ms;
	if (wait_ms > 0)
		return now_ms + wait_ms;
	item = label_queue_next(labeller->queue, now_ms);
	if (item == NULL)
		return label_queue_due_ms(labeller->queue);
	gate = &labeller_resource(labeller, item->source)->gate;
	if (gate_is_shut(gate, now_ms)) {
		label_queue_wait(labeller->queue, item, gate->until_ms);
		return 0;
	}
	token_bucket_take(&labeller->tokens);
	label_work_start(&labeller->work, item);
	return 0;
}

void label_pump_run(void *arg)
{
	struct labeller *labeller = arg;
	size_t active_max = (size_t)labeller->env.conf->label_concurrency;
	int64_t now_ms = labeller_now_ms(labeller);
	int64_t again_ms = 0;

	labeller_advance(labeller);
	while (again_ms == 0 && label_queue_active(labeller->queue) < active_max)
		again_ms = pump_one(labeller, now_ms);
	/* With as much under way as may be, an answer is what we wait for. */
	if (again_ms != 0 && again_ms != INT64_MAX)
		loop_timer_start(labeller->env.loop, &labeller->wake,
				 again_ms - now_ms);
}
