#include "proxy/member/barrier.h"

#include <stdlib.h>

struct barrier {
	struct list node;
	void (*done)(void *arg, uint64_t version);
	void *arg;
};

void barriers_init(struct barriers *barriers)
{
	list_init(&barriers->waiting);
	list_init(&barriers->sent);
}

void barriers_add(struct barriers *barriers, void (*done)(void *arg, uint64_t version),
		  void *arg)
{
	struct barrier *barrier = malloc(sizeof(*barrier));

	if (!barrier)
		abort();
	*barrier = (struct barrier){ .done = done, .arg = arg };
	list_add(&barriers->waiting, &barrier->node);
}

bool barriers_are_waiting(const struct barriers *barriers)
{
	return !list_is_empty(&barriers->waiting);
}

static void barriers_move(struct list *from, struct list *to)
{
	LIST_EACH(node, from) {
		list_remove(node);
		list_add(to, node);
	}
}

void barriers_send(struct barriers *barriers)
{
	barriers_move(&barriers->waiting, &barriers->sent);
}

void barriers_return(struct barriers *barriers)
{
	barriers_move(&barriers->sent, &barriers->waiting);
}

static void barriers_empty(struct list *list, uint64_t version)
{
	struct list all; /* done may add others */

	list_init(&all);
	barriers_move(list, &all);
	LIST_EACH(node, &all) {
		struct barrier *barrier = LIST_OWNER(node, struct barrier, node);

		barrier->done(barrier->arg, version);
		free(barrier);
	}
}

void barriers_answer(struct barriers *barriers, uint64_t version)
{
	barriers_empty(&barriers->sent, version);
}

void barriers_refuse(struct barriers *barriers)
{
	barriers_empty(&barriers->sent, 0);
	barriers_empty(&barriers->waiting, 0);
}
