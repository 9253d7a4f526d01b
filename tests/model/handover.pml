/*
 * Handover (sharding design, section 5), for all interleavings of N members and K
 * buckets without a bound on epochs, incarnations or faults. What is checked:
 *
 *	one_writer	no two members may write to one bucket
 *	late_write	no write arrives at a bucket that another member has taken
 *
 * Time is abstract here; timing.pml has clocks. What it gives us is one guard: a
 * Lease is sealed only once its holder's right has ended and what was sent under it
 * has arrived or never will. Everything else may happen at any time: crash, pause
 * (nothing happens), a right that runs out and comes back, Leases deleted by hands,
 * restart in place, messages that arrive late.
 *
 * Names are relative, which makes it finite: a bucket's owner and target are members
 * in the incarnation that their Leases bear now, or GONE; an acknowledgement is of the
 * bucket's newest change, or none.
 *
 * A coordinator acts on facts that stay true (sealed, acknowledged) and publishes with
 * the newest assignment as precondition. So what it believes, if it is old, only makes
 * it not act: one that may act at any time stands for any number of them. Without the
 * precondition (-DNO_PRECONDITION) there is a second one, with an old belief.
 */
#ifndef N
#define N 3
#endif
#ifndef K
#define K 2
#endif
#define GONE N

#define AT(m, k) ((m) * K + (k))

/* What a member knows of a bucket. */
#define NONE 0  /* not its own */
#define TAKEN 1 /* its own: it may write */
#define LEAVE 2 /* to be released: the newest that was published about it */
#define STALE 3 /* to be released, and something newer was published */

/* Its Lease: bears its incarnation, was sealed, was deleted. */
#define HELD 0
#define SEALED 1
#define DELETED 2

/* An acknowledgement of the newest change: none, on its way, on the Lease. */
#define ACK_NONE 0
#define ACK_SENT 1
#define ACK_TOLD 2

byte owner[K], target[K], ack[K];
byte know[N * K];
byte lease[N];
bit right[N];
/* The write of this member that may yet arrive: bucket + 1, and of a former life. */
byte wrote[N];
bit is_old[N];
#ifdef NO_PRECONDITION
byte believed_owner, believed_target, believed; /* of bucket 0; believed: 0 none, 1, 2 old */
#endif

byte i; /* scratch, 0 between steps */

#ifdef NO_FENCE
#define MAY(m, k) (right[m] && know[AT(m, k)] >= TAKEN)
#else
#define MAY(m, k) (right[m] && know[AT(m, k)] == TAKEN)
#endif

/* It may write, or will when its right comes back. */
#define HAS_TAKEN(m, k) (know[AT(m, k)] == TAKEN && (right[m] || lease[m] == HELD))

#ifdef NO_DRAIN
#define DRAINED(m, k) true
#else
#define DRAINED(m, k) (wrote[m] != (k) + 1)
#endif

#ifdef REJOIN_AT_ONCE
#define OVER(m) true
#else
#define OVER(m) (wrote[m] == 0)
#endif

#ifdef NO_SEAL
#define IS_DEAD(m) (lease[m] == SEALED || !right[m])
#elif defined(NAMED_WITHOUT_LIFE)
/* That it was sealed stays true for ever, of its former incarnation. */
bit was_sealed[N];
#define IS_DEAD(m) (lease[m] == SEALED || was_sealed[m])
#else
#define IS_DEAD(m) (lease[m] == SEALED)
#endif

#ifdef NO_ACK
#define IS_TOLD(k) true
#else
#define IS_TOLD(k) (ack[k] == ACK_TOLD)
#endif

#define OWNER_IS_DEAD(k) (owner[k] == GONE || IS_DEAD(owner[k]))

/* Something new is published about a bucket. */
inline publish(k, o, t) {
	owner[k] = o;
	target[k] = t;
#ifndef ANY_ACK
	ack[k] = ACK_NONE;
#endif
	i = 0;
	do
	:: i < N -> if
		:: know[AT(i, k)] == LEAVE -> know[AT(i, k)] = STALE
		:: else
		fi; i++
	:: else -> break
	od;
	i = 0
}

/* A member sees the newest assignment. */
inline see_bucket(m, k) {
	if
	:: owner[k] != m -> know[AT(m, k)] = NONE
	:: owner[k] == m && target[k] == m -> know[AT(m, k)] = TAKEN
	:: owner[k] == m && target[k] != m -> know[AT(m, k)] = LEAVE
	fi
}

inline forget(m) {
	i = 0;
	do
	:: i < K -> know[AT(m, i)] = NONE; i++
	:: else -> break
	od;
	i = 0
}

/* A new incarnation: whatever was named for the former one is named for nobody. */
inline join(m) {
	forget(m);
	do
	:: i < K ->
#ifndef NAMED_WITHOUT_LIFE
		if
		:: owner[i] == m -> owner[i] = GONE; ack[i] = ACK_NONE
		:: else
		fi;
		if
		:: target[i] == m -> target[i] = GONE
		:: else
		fi;
#endif
		i++
	:: else -> break
	od;
	i = 0;
	lease[m] = HELD;
	right[m] = 1;
	is_old[m] = wrote[m] != 0
}

inline member(m) {
	if
	/* Its Lease: renewed, run out, found to be taken away, claimed again. */
	:: d_step { !right[m] && lease[m] == HELD -> right[m] = 1 }
	:: d_step { right[m] -> right[m] = 0 }
	:: d_step { lease[m] == HELD -> lease[m] = DELETED }
	:: d_step { lease[m] != HELD && OVER(m) -> join(m) }
	/* Its process dies, and starts again some time, or never. */
	:: d_step { right[m] = 0; forget(m) }
	/* A write that was let pass arrives, or never will. */
	:: d_step { wrote[m] > 0 ->
		i = 0;
		do
		:: i < N ->
			/* late_write */
			assert(!HAS_TAKEN(i, wrote[m] - 1) || (i == m && !is_old[m]));
			i++
		:: else -> break
		od;
		i = 0; wrote[m] = 0; is_old[m] = 0 }
	:: d_step { wrote[m] > 0 -> wrote[m] = 0; is_old[m] = 0 }
	fi
}

inline bucket(m, k) {
	if
	:: d_step { lease[m] == HELD -> see_bucket(m, k) }
	:: d_step { MAY(m, k) && wrote[m] == 0 ->
		i = 0;
		do
		:: i < N -> assert(i == m || !MAY(i, k)); i++ /* one_writer */
		:: else -> break
		od;
		i = 0; wrote[m] = k + 1 }
	:: d_step { know[AT(m, k)] == LEAVE && ack[k] == ACK_NONE && DRAINED(m, k) ->
		ack[k] = ACK_SENT }
	:: d_step { ack[k] == ACK_SENT && owner[k] == m && lease[m] == HELD ->
		ack[k] = ACK_TOLD }
	fi
}

/* The coordinator, about bucket k and member m. */
inline plan(k, m) {
	if
	:: d_step { lease[m] == HELD && OWNER_IS_DEAD(k) -> publish(k, m, m) }
	:: d_step { lease[m] == HELD && !OWNER_IS_DEAD(k) && owner[k] != m &&
		target[k] != m && owner[k] == target[k] -> publish(k, owner[k], m) }
	:: d_step { lease[m] == HELD && !OWNER_IS_DEAD(k) && owner[k] != m &&
		owner[k] != target[k] && !IS_TOLD(k) && target[k] != m ->
		publish(k, owner[k], m) }
	:: d_step { lease[m] == HELD && !OWNER_IS_DEAD(k) && owner[k] != m &&
		owner[k] != target[k] && IS_TOLD(k) -> publish(k, m, m) }
	:: d_step { owner[k] == m && target[k] != m -> publish(k, m, m) }
	fi
}

inline seal(m) {
#ifdef NO_MARGIN
	d_step { lease[m] == HELD && !right[m] -> lease[m] = SEALED }
#elif defined(NAMED_WITHOUT_LIFE)
	d_step { lease[m] == HELD && !right[m] && wrote[m] == 0 ->
		lease[m] = SEALED; was_sealed[m] = 1 }
#else
	d_step { lease[m] == HELD && !right[m] && wrote[m] == 0 -> lease[m] = SEALED }
#endif
}

/*
 * Its process is told to end: it writes no more, and when what it has sent is over, it
 * writes the released state, a seal by its own hand.
 */
inline stop(m) {
#ifdef STOP_WITHOUT_FENCE
	d_step { lease[m] == HELD && wrote[m] == 0 -> lease[m] = SEALED }
#elif defined(STOP_WITHOUT_DRAIN)
	d_step { lease[m] == HELD -> right[m] = 0; forget(m); lease[m] = SEALED }
#else
	d_step { lease[m] == HELD && wrote[m] == 0 ->
		right[m] = 0; forget(m); lease[m] = SEALED }
#endif
}

/*
 * Another process of the same id takes the Lease, without a seal, when it has stood
 * unchanged for its duration. The former one, a twin or a predecessor, fences itself.
 */
inline take(m) {
#ifdef TAKE_AT_ONCE
	d_step { lease[m] == HELD -> join(m) }
#else
	d_step { lease[m] == HELD && !right[m] && wrote[m] == 0 -> join(m) }
#endif
}

#ifdef NO_PRECONDITION
/* A coordinator whose belief about bucket 0 is old by one completed handover. */
inline overwrite(m) {
	if
	:: d_step { believed == 0 && owner[0] != GONE && owner[0] != target[0] &&
		IS_TOLD(0) && target[0] == m ->
		believed_owner = m; believed = 1 }
	:: d_step { believed == 1 && lease[believed_owner] == HELD ->
		publish(0, believed_owner, believed_owner); believed = 2;
		believed_owner = 0 }
	fi
}
#endif

/*
 * Members are alike, so that of states that differ in their names alone one is enough:
 * the one in which they are in order.
 */
#define SIGN(m) ((((know[AT(m, 0)] * 4 + know[AT(m, K - 1)]) * 3 + wrote[m]) * 3 + \
	lease[m]) * 2 + right[m])
#define SWAP(a, b) i = a; a = b; b = i

inline rename(k, a, b) {
	if
	:: owner[k] == a -> owner[k] = b
	:: owner[k] == b -> owner[k] = a
	:: else
	fi;
	if
	:: target[k] == a -> target[k] = b
	:: target[k] == b -> target[k] = a
	:: else
	fi
}

inline order(a, b) {
	if
	:: SIGN(a) > SIGN(b) ->
		SWAP(know[AT(a, 0)], know[AT(b, 0)]);
		SWAP(wrote[a], wrote[b]);
		SWAP(lease[a], lease[b]);
		SWAP(right[a], right[b]);
		SWAP(is_old[a], is_old[b]);
		rename(0, a, b);
#if K > 1
		SWAP(know[AT(a, 1)], know[AT(b, 1)]);
		rename(1, a, b);
#endif
		i = 0
	:: else
	fi
}

#if defined(NO_PRECONDITION) || defined(NAMED_WITHOUT_LIFE)
#define ORDER skip /* what is believed has names too */
#elif N > 2
#define ORDER d_step { order(0, 1); order(1, 2); order(0, 1) }
#else
#define ORDER d_step { order(0, 1) }
#endif

active proctype ring() {
	d_step {
		i = 0;
		do
		:: i < N -> right[i] = 1; i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < K -> know[AT(i % N, i)] = TAKEN; owner[i] = i % N; target[i] = i % N; i++
		:: else -> break
		od;
		i = 0
	}
	do
	:: atomic {
		if
		:: member(0)
		:: member(1)
		:: bucket(0, 0)
		:: bucket(1, 0)
		:: plan(0, 0)
		:: plan(0, 1)
		:: seal(0)
		:: seal(1)
		:: stop(0)
		:: stop(1)
		:: take(0)
		:: take(1)
#if N > 2
		:: member(2)
		:: bucket(2, 0)
		:: plan(0, 2)
		:: seal(2)
		:: stop(2)
		:: take(2)
#endif
#if K > 1
		:: bucket(0, 1)
		:: bucket(1, 1)
		:: plan(1, 0)
		:: plan(1, 1)
#if N > 2
		:: bucket(2, 1)
		:: plan(1, 2)
#endif
#endif
#ifdef NO_PRECONDITION
		:: overwrite(0)
		:: overwrite(1)
#endif
		fi;
		ORDER }
	od
}
