/*
 * An intrusive doubly linked list. The node is a field of its owner, so an
 * object is on as many lists as it has nodes, and joining or leaving allocates
 * nothing. A node that is on no list points to itself.
 */
#ifndef RINGSIDE_BASE_LIST_H
#define RINGSIDE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev;
	struct list *next;
};

#define LIST_OWNER(node, type, field) \
	((type *)(void *)(((char *)(node)) - offsetof(type, field)))

/* Safe against the removal of `node` itself, not of its successor. */
#define LIST_EACH(node, head) \
	for (struct list *node = (head)->next, *node##_next = node->next; \
	     node != (head); node = node##_next, node##_next = node->next)

static inline void list_init(struct list *list)
{
	list->prev = list;
	list->next = list;
}

static inline bool list_is_empty(const struct list *list)
{
	return list->next == list;
}

/* At the tail of the list. */
static inline void list_add(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* Leaves whatever list it is on; a node that is on none stays so. */
static inline void list_remove(struct list *node)
{
	/* The analyzer does not see that a freed node has left its list before. */
	node->prev->next = node->next; /* NOLINT(clang-analyzer-unix.Malloc) */
	node->next->prev = node->prev;
	list_init(node);
}

static inline size_t list_count(const struct list *head)
{
	size_t n = 0;

	for (const struct list *node = head->next; node != head; node = node->next)
		n++;
	return n;
}

#endif
