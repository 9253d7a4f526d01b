#include "proxy/member/label_queue.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static const struct label_queue_size size = { .sources = 2,
					      .share = 4,
					      .aside_max = 2 };

static struct object_meta meta_of(const char *name)
{
	return (struct object_meta){ .namespace = SLICE_LITERAL("ns"),
				     .name = slice_of(name),
				     .uid = SLICE_LITERAL("u"),
				     .resource_version = SLICE_LITERAL("7") };
}

static struct label_item *find(struct label_queue *queue, int source, const char *name)
{
	struct object_meta meta = meta_of(name);

	return label_queue_find(queue, source, &meta);
}

static struct label_item *add(struct label_queue *queue, int source, const char *name)
{
	struct object_meta meta = meta_of(name);
	struct label_item *item = label_item_create(source, &meta, NULL);

	label_queue_add(queue, item, find(queue, source, name));
	return item;
}

/* Takes the next item and says its name; "" if there is none. */
static const char *next(struct label_queue *queue, int64_t now_ms)
{
	static char name[16];
	struct label_item *item = label_queue_next(queue, now_ms);

	name[0] = '\0';
	if (item != NULL)
		snprintf(name, sizeof(name), "%.*s", SLICE_ARGS(item->name));
	return name;
}

static void finish_all(struct label_queue *queue)
{
	struct label_item *item;

	while ((item = label_queue_active_one(queue)) != NULL)
		label_queue_finish(queue, item);
	label_queue_destroy(queue);
}

START_TEST(label_item_keeps_what_it_is_about)
{
	struct object_meta meta = meta_of("a");
	struct owner_reference owner = { SLICE_LITERAL("g/v1"), SLICE_LITERAL("Foo"),
					 SLICE_LITERAL("f"), SLICE_LITERAL("uf"),
					 true };
	struct label_item *item = label_item_create(3, &meta, &owner);

	ck_assert_slice(item->key, "3/ns/a");
	ck_assert_slice(item->namespace, "ns");
	ck_assert_slice(item->name, "a");
	ck_assert_slice(item->uid, "u");
	ck_assert_slice(item->resource_version, "7");
	ck_assert_slice(item->owner.api_version, "g/v1");
	ck_assert_slice(item->owner.kind, "Foo");
	ck_assert_slice(item->owner.name, "f");
	ck_assert_slice(item->owner.uid, "uf");
	ck_assert(item->owner.is_controller);
	label_item_free(item);
	meta.namespace = slice_of(NULL);
	item = label_item_create(0, &meta, NULL);
	ck_assert_slice(item->key, "0//a");
	ck_assert_slice(item->namespace, "");
	ck_assert_slice(item->name, "a");
	label_item_free(item);
}
END_TEST

START_TEST(label_item_has_a_bound)
{
	static char text[LABEL_ITEM_BYTES_MAX + 1];
	struct object_meta meta = meta_of("a");
	struct owner_reference owner = { .name = { text, LABEL_ITEM_BYTES_MAX } };

	memset(text, 'x', sizeof(text));
	ck_assert_ptr_null(label_item_create(0, &meta, &owner));
	meta.name = slice_make(text, sizeof(text));
	ck_assert_ptr_null(label_item_create(0, &meta, NULL));
}
END_TEST

START_TEST(label_queue_is_first_in_first_out)
{
	struct label_queue *queue = label_queue_create(&size);

	add(queue, 0, "a");
	add(queue, 1, "b");
	add(queue, 0, "c");
	ck_assert_str_eq(next(queue, 0), "a");
	ck_assert_str_eq(next(queue, 0), "b");
	ck_assert_str_eq(next(queue, 0), "c");
	ck_assert_str_eq(next(queue, 0), "");
	ck_assert_uint_eq(label_queue_active(queue), 3);
	finish_all(queue);
}
END_TEST

START_TEST(label_queue_object_of_another_source_is_another_object)
{
	struct label_queue *queue = label_queue_create(&size);
	struct label_item *a = add(queue, 0, "a");
	struct label_item *b = add(queue, 1, "a");

	ck_assert_ptr_eq(find(queue, 0, "a"), a);
	ck_assert_ptr_eq(find(queue, 1, "a"), b);
	ck_assert_ptr_null(find(queue, 1, "b"));
	finish_all(queue);
}
END_TEST

START_TEST(label_queue_object_seen_anew_replaces_what_waits)
{
	struct label_queue *queue = label_queue_create(&size);
	struct label_item *anew;

	add(queue, 0, "a");
	add(queue, 0, "b");
	anew = add(queue, 0, "a");
	ck_assert_uint_eq(label_queue_count(queue), 2);
	ck_assert_str_eq(next(queue, 0), "b");
	ck_assert_str_eq(next(queue, 0), "a");
	ck_assert(anew->state == LABEL_ACTIVE && !anew->is_detached);
	finish_all(queue);
}
END_TEST

START_TEST(label_queue_object_seen_anew_detaches_what_is_worked_on)
{
	struct label_queue *queue = label_queue_create(&size);
	struct label_item *former = add(queue, 0, "a"), *anew;

	ck_assert_str_eq(next(queue, 0), "a");
	anew = add(queue, 0, "a");
	ck_assert(former->is_detached);
	ck_assert_uint_eq(label_queue_count(queue), 1);
	ck_assert_uint_eq(label_queue_active(queue), 1);
	/* Its worker comes back, whatever for: it is no more. */
	label_queue_wait(queue, former, 10);
	ck_assert_uint_eq(label_queue_active(queue), 0);
	ck_assert_ptr_eq(find(queue, 0, "a"), anew);
	ck_assert_str_eq(next(queue, 0), "a");
	finish_all(queue);
}
END_TEST

START_TEST(label_queue_items_wait_in_the_order_of_their_time)
{
	struct label_queue *queue = label_queue_create(&size);
	static const int64_t due[] = { 30, 10, 20 };

	ck_assert(label_queue_due_ms(queue) == INT64_MAX);
	add(queue, 0, "a");
	add(queue, 0, "b");
	add(queue, 0, "c");
	for (int i = 0; i < 3; i++)
		label_queue_wait(queue, label_queue_next(queue, 0), due[i]);
	ck_assert_int_eq(label_queue_due_ms(queue), 10);
	ck_assert_str_eq(next(queue, 9), "");
	ck_assert_str_eq(next(queue, 25), "b");
	ck_assert_str_eq(next(queue, 25), "c");
	ck_assert_str_eq(next(queue, 25), "");
	ck_assert_str_eq(next(queue, 30), "a");
	finish_all(queue);
}
END_TEST

START_TEST(label_queue_share_of_one_source_is_not_anothers)
{
	struct label_queue *queue = label_queue_create(&size);

	ck_assert(label_queue_has_room(queue, 0, 4));
	ck_assert(!label_queue_has_room(queue, 0, 5));
	add(queue, 0, "a");
	ck_assert(!label_queue_has_room(queue, 0, 4));
	ck_assert(label_queue_has_room(queue, 0, 3));
	ck_assert(label_queue_has_room(queue, 1, 4));
	label_queue_remove(queue, find(queue, 0, "a"));
	ck_assert(label_queue_has_room(queue, 0, 4));
	finish_all(queue);
}
END_TEST

START_TEST(label_queue_failure_waits_longer_each_time_up_to_a_maximum)
{
	struct label_queue *queue = label_queue_create(&size);
	int64_t delay_ms = 0;

	add(queue, 0, "a");
	for (int i = 0; i < 20; i++) {
		int64_t before_ms = delay_ms;

		label_queue_retry(queue, label_queue_next(queue, INT64_MAX), 0, 0);
		delay_ms = label_queue_due_ms(queue);
		ck_assert_int_ge(delay_ms, before_ms);
	}
	ck_assert_int_eq(delay_ms, LABEL_RETRY_MAX_MS / 2);
	label_queue_retry(queue, label_queue_next(queue, INT64_MAX), 0,
			  LABEL_RETRY_MAX_MS / 2);
	ck_assert_int_eq(label_queue_due_ms(queue), LABEL_RETRY_MAX_MS);
	finish_all(queue);
}
END_TEST

/* Fails the item of that name n times. */
static void fail_item(struct label_queue *queue, const char *name, int n)
{
	for (int i = 0; i < n; i++) {
		ck_assert_str_eq(next(queue, INT64_MAX), name);
		label_queue_retry(queue, label_queue_active_one(queue), 0, 0);
	}
}

START_TEST(label_queue_what_fails_on_takes_no_room_within_a_bound)
{
	struct label_queue *queue = label_queue_create(&size);

	add(queue, 0, "a");
	fail_item(queue, "a", LABEL_ASIDE_FAILURES - 1);
	ck_assert(!label_queue_has_room(queue, 0, 4));
	fail_item(queue, "a", 1);
	ck_assert(label_queue_has_room(queue, 0, 4));
	/* Gone, it does not count twice. */
	label_queue_remove(queue, find(queue, 0, "a"));
	ck_assert(label_queue_has_room(queue, 0, 4));
	ck_assert(!label_queue_has_room(queue, 0, 5));
	add(queue, 0, "b");
	fail_item(queue, "b", LABEL_ASIDE_FAILURES + 1);
	label_queue_remove(queue, find(queue, 0, "b"));
	add(queue, 1, "c");
	fail_item(queue, "c", LABEL_ASIDE_FAILURES);
	ck_assert(label_queue_has_room(queue, 1, 4));
	finish_all(queue);
}
END_TEST

START_TEST(label_queue_no_more_is_set_aside_than_its_bound)
{
	struct label_queue *queue = label_queue_create(&size);

	add(queue, 0, "a");
	add(queue, 0, "b");
	add(queue, 0, "c");
	for (int i = 0; i < 3 * LABEL_ASIDE_FAILURES; i++)
		label_queue_retry(queue, label_queue_next(queue, 1000000 + i), i, 0);
	ck_assert(label_queue_has_room(queue, 0, 3));
	ck_assert(!label_queue_has_room(queue, 0, 4));
	finish_all(queue);
}
END_TEST

START_TEST(label_queue_knows_since_when_the_oldest_waits)
{
	struct label_queue *queue = label_queue_create(&size);

	ck_assert_int_eq(label_queue_oldest_ms(queue, 100), 100);
	add(queue, 0, "a")->since_ms = 50;
	add(queue, 0, "b")->since_ms = 40;
	add(queue, 1, "c")->since_ms = 60;
	ck_assert_int_eq(label_queue_oldest_ms(queue, 100), 40);
	label_queue_remove(queue, find(queue, 0, "b"));
	ck_assert_int_eq(label_queue_oldest_ms(queue, 100), 50);
	finish_all(queue);
}
END_TEST

START_TEST(label_queue_walk_sees_all_and_lets_them_go)
{
	struct label_queue *queue = label_queue_create(&size);
	struct label_item *item;
	int n = 0;

	add(queue, 0, "a");
	add(queue, 0, "b");
	add(queue, 1, "c");
	(void)label_queue_next(queue, 0);
	for (size_t cursor = 0; label_queue_walk(queue, &cursor, &item); n++)
		label_queue_remove(queue, item);
	ck_assert_int_eq(n, 3);
	ck_assert_uint_eq(label_queue_count(queue), 0);
	ck_assert_uint_eq(label_queue_active(queue), 1);
	finish_all(queue);
}
END_TEST

UNIT_MAIN("member/label_queue", label_item_keeps_what_it_is_about,
	  label_item_has_a_bound, label_queue_is_first_in_first_out,
	  label_queue_object_of_another_source_is_another_object,
	  label_queue_object_seen_anew_replaces_what_waits,
	  label_queue_object_seen_anew_detaches_what_is_worked_on,
	  label_queue_items_wait_in_the_order_of_their_time,
	  label_queue_share_of_one_source_is_not_anothers,
	  label_queue_failure_waits_longer_each_time_up_to_a_maximum,
	  label_queue_what_fails_on_takes_no_room_within_a_bound,
	  label_queue_no_more_is_set_aside_than_its_bound,
	  label_queue_knows_since_when_the_oldest_waits,
	  label_queue_walk_sees_all_and_lets_them_go)
