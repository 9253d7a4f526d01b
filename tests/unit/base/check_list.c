#include "proxy/base/list.h"

#include "tests/unit/unit.h"

struct item {
	int number;
	struct list node;
};

START_TEST(list_keeps_the_order_of_adding)
{
	struct item items[5];
	struct list head;
	int n = 0;

	list_init(&head);
	ck_assert(list_is_empty(&head));
	for (int i = 0; i < 5; i++) {
		items[i].number = i;
		list_add(&head, &items[i].node);
	}
	ck_assert(!list_is_empty(&head));
	ck_assert_uint_eq(list_count(&head), 5);
	LIST_EACH(node, &head)
		ck_assert_int_eq(LIST_OWNER(node, struct item, node)->number, n++);
	ck_assert_int_eq(n, 5);
}
END_TEST

START_TEST(list_walk_goes_on_when_the_node_is_removed)
{
	struct item items[5];
	struct list head;
	int n = 0;

	list_init(&head);
	for (int i = 0; i < 5; i++)
		list_add(&head, &items[i].node);
	LIST_EACH(node, &head) {
		list_remove(node);
		n++;
	}
	ck_assert_int_eq(n, 5);
	ck_assert(list_is_empty(&head));
}
END_TEST

START_TEST(list_remove_leaves_the_neighbours_linked)
{
	struct item items[3];
	struct list head;

	list_init(&head);
	for (int i = 0; i < 3; i++)
		list_add(&head, &items[i].node);
	list_remove(&items[1].node);
	ck_assert(list_is_empty(&items[1].node));
	ck_assert_ptr_eq(items[0].node.next, &items[2].node);
	ck_assert_ptr_eq(items[2].node.prev, &items[0].node);
	ck_assert_uint_eq(list_count(&head), 2);
}
END_TEST

START_TEST(list_remove_of_a_node_on_no_list_does_nothing)
{
	struct item item;

	list_init(&item.node);
	list_remove(&item.node);
	ck_assert(list_is_empty(&item.node));
}
END_TEST

UNIT_MAIN("base/list", list_keeps_the_order_of_adding,
	  list_walk_goes_on_when_the_node_is_removed,
	  list_remove_leaves_the_neighbours_linked,
	  list_remove_of_a_node_on_no_list_does_nothing)
