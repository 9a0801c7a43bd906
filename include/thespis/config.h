/* config.h: every limit, period and switch, with its default, unit and reason.
 *
 * The first group can be set per system in th_options (0 there means the default here); the second
 * is fixed at build time. */
#ifndef THESPIS_CONFIG_H
#define THESPIS_CONFIG_H

/* ---- defaults of th_options ---- */

/* Actors, endpoints and open questions alive at once. 16 Mi slots cost 128 KiB of table up front;
 * past it a spawn fails cleanly. */
#define TH_ACTORS_MAX_DEFAULT (16u * 1024 * 1024)

/* Bytes the system may hold in messages, state and actors; 0 is no ceiling. */
#define TH_MEMORY_MAX_DEFAULT 0

/* Worker threads; 0 takes the number of cores this process may run on. */
#define TH_WORKERS_DEFAULT 0

/* Most workers, so that one 64-bit word can say who sleeps. */
#define TH_WORKERS_MAX 64

/* Threads lent in place of workers that said th_blocking_begin(). More than this many blocked at
 * once simply wait. */
#define TH_SPARE_WORKERS_MAX 64

/* Wakeups pending at once. */
#define TH_TIMERS_MAX_DEFAULT (64u * 1024 * 1024)

/* Watches of descriptors and signals in a system at once: more than a process has descriptors by
 * default, few enough that a program which forgets to unwatch hears of it. 48 bytes each. */
#define TH_WATCHES_MAX_DEFAULT (1024u * 1024)

/* ---- other systems ---- */

/* Messages on their way to another system, unacknowledged ones included: past the first an actor is
 * held after its handler, past the second a send is refused. About a tenth of a second's worth of a
 * link at full speed, so that no queue outlasts its use; and room for one handler's burst. */
#define TH_LINK_QUEUE_SOFT_DEFAULT (64u * 1024)
#define TH_LINK_QUEUE_HARD_DEFAULT (1024u * 1024)

/* Requests to dial that wait for their answer. */
#define TH_LINK_DIALS_MAX 4096

/* A shutdown waits so long for other systems to have what was sent to them. */
#define TH_LINK_FAREWELL_NS 2000000000

/* ---- messages ---- */

/* Largest body, in bytes: what one message may carry without being called a file. */
#define TH_MESSAGE_SIZE_MAX (64u * 1024 * 1024)

/* A copy of a message up to this body size is copied, above it shared: copying is cheaper than a
 * shared count. Bytes. */
#define TH_MESSAGE_COPY_MAX 256

/* Largest limit of a mailbox, in messages: past it a limit is a typing error. */
#define TH_MAILBOX_LIMIT_MAX (1u << 30)

/* Who may be held on one mailbox or wait to be told that it is writable; each costs a small
 * message, and past it a sender is not held. */
#define TH_MAILBOX_WAITERS_MAX (1u << 20)

/* Most credits an owner keeps back before it returns them: one shared write for so many messages.
 * Of small limits it is an eighth. */
#define TH_MAILBOX_BATCH_MAX 64

/* How deep field tables may nest, and messages inside messages be described. */
#define TH_NESTING_MAX 32

/* Longest name of a class, type, system or thread, in bytes without the NUL. */
#define TH_NAME_MAX 255

/* Types that a system knows by name, for what comes from others: more than a program declares. */
#define TH_TYPES_MAX 4096

/* Text of a failure that travels in poison messages, in bytes with the NUL. */
#define TH_DETAILS_SIZE 256

/* ---- scheduling ---- */

/* Messages an actor may handle before the next actor has its turn. Below an inflow per round it
 * would only grow queues; far above, neighbours wait longer. */
#define TH_TURN_MESSAGES_MAX 1024

/* Nanoseconds after which a turn ends at the next message even with budget left: bounds what a
 * neighbour waits when handlers are slow. Looked at every TH_TURN_CLOCK_MESSAGES messages, since
 * reading the clock costs as much as a message. */
#define TH_TURN_NS_MAX         200000
#define TH_TURN_CLOCK_MESSAGES 16

/* Turns in a row that the `next` slot may take before the ring has one: a conversation stays on its
 * worker, but cannot starve the rest. */
#define TH_NEXT_TURNS_MAX 64

/* Tasks in a worker's own ring, a power of two; what does not fit goes to its backlog. */
#define TH_RING_SIZE 1024

/* A worker looks up from its work after this many turns: outsiders' submissions, how much work is
 * queued, whether to wake another worker. */
#define TH_CHECK_TURNS 64

/* Queued work, in nanoseconds, that pays for waking another worker: some wake-up cost (15 to 40
 * us), measured in docs/internals/scheduling.md. */
#define TH_WAKE_PRESSURE_NS 30000

/* Whether more workers do more is measured over windows this long (runtime/sched/benefit.h), in
 * nanoseconds: long against a wake-up, short against what a wrong answer costs. */
#define TH_BENEFIT_WINDOW_NS 300000

/* Only messages cheaper than this can lose by another worker: a few cache lines between cores, with
 * room. Nanoseconds. */
#define TH_BENEFIT_CHEAP_NS 500

/* What another worker must add to stay. */
#define TH_BENEFIT_GAIN_PERCENT 15

/* How long a worker that added nothing makes the next one harder to wake; halved each time it
 * passes. Nanoseconds. */
#define TH_BENEFIT_PENALTY_NS 20000000

/* Messages cheaper than this (nanoseconds, sending or handling one) cost more when they are shared
 * than when they wait: each drags cache lines from one core to the other, 110 ns a line. Queued
 * work of such messages weighs only the TH_CHEAP_DISCOUNT-th part. */
#define TH_CHEAP_MESSAGE_NS 250
#define TH_CHEAP_DISCOUNT   32

/* How long a worker that ran dry spins before it parks, in nanoseconds: about one wake-up's cost.
 */
#define TH_SPIN_NS 20000

/* How often a parked worker looks whether another is stuck in a long handler, in nanoseconds; half
 * of what a bystander may wait. Only while somebody is running. */
#define TH_SENTRY_NS 500000

/* Wakeups that fall due this soon after others were fired wait for each other, in nanoseconds: a
 * round costs two thread wake-ups, however many it fires. One that stands alone is not delayed. */
#define TH_TIMER_GATHER_NS 200000

/* How often a clock of the program's own is looked at while a wakeup waits for it, since nobody can
 * know when it will have moved. Nanoseconds. */
#define TH_CLOCK_LOOK_NS 10000000

/* Turns of the simple base at one moment of virtual time, before a wait lets time pass although
 * more are runnable: far more than any work that ends takes. */
#define TH_MOMENT_TURNS_MAX 1000000

/* ---- life ---- */

/* A failing message is handled this many times in all before it is poison. */
#define TH_DELIVERIES_MAX 2

/* How long an actor whose exit lacks memory waits before it tries again, in nanoseconds: long
 * against a turn, so that the rest can run and free some, short against what anybody waits for. */
#define TH_STALL_NS 1000000

/* Watches and links that one actor or endpoint may have: two messages each, so that one that
 * forgets to take them back is noticed before memory is. */
#define TH_TIES_MAX (64u * 1024)

/* Handlers of dead letters registered at once. */
#define TH_DEAD_LETTER_HANDLERS_MAX 64

/* Behaviours that an actor may have put on one another. More is a program that forgets to come
 * back. */
#define TH_BEHAVIOURS_MAX 8

/* Messages that one actor may keep stashed: what a mailbox may hold is its senders' affair, this is
 * its own. */
#define TH_STASH_MAX 65536

/* Deputies that one actor may have open: more threads than any machine runs are threads that forget
 * to close theirs. */
#define TH_DEPUTIES_MAX 1024

/* Types of message that an actor may wait for before all others. */
#define TH_INITIAL_TYPES_MAX 32

/* How many bases a class may have above it, so that no chain of them is a circle. */
#define TH_CLASS_BASES_MAX 16

/* Classes registered by name. */
#define TH_CLASSES_MAX 4096

/* Global names in use at once. A program has a few for each of its services; far more is a data
 * structure, which wants an actor of its own. */
#define TH_NAMES_MAX 65536

/* Capabilities of a system, and facts in any other set: what fits a page of status. */
#define TH_FACTS_MAX 256

/* Bytes of values in a set, its names included: a description, not a store. */
#define TH_FACTS_SIZE_MAX 65536

/* ---- status ---- */

/* A shorter threshold would make the watchdog's looks, four per threshold, a load. Nanoseconds. */
#define TH_WATCHDOG_NS_MIN 1000000

/* What a thread may do while a trace is written, before some of it is lost: 1 MiB a thread, and
 * some 10 ms of a worker that does nothing but send. A power of two. */
#define TH_TRACE_EVENTS 16384

/* How often a trace is written out when nothing presses. Nanoseconds. */
#define TH_TRACE_WRITE_NS 20000000

/* Bytes of a trace; what comes later is counted only. More than viewers load with pleasure. */
#define TH_TRACE_BYTES_DEFAULT (1024u * 1024 * 1024)
#define TH_TRACE_BYTES_LEAST   65536

/* Classes whose samples are told apart, 12 KiB each; those of further classes count for the system
 * alone. A power of two. */
#define TH_MEASURED_CLASSES_MAX 256

/* Actors that one written status lists, so that asking costs no more than some megabytes. */
#define TH_STATUS_ACTORS_MAX 10000

/* The same of classes, of actors that say more (th_class.status), and of endpoints. */
#define TH_STATUS_CLASSES_MAX   256
#define TH_STATUS_SERVICES_MAX  1000
#define TH_STATUS_ENDPOINTS_MAX 1000

/* ---- the wire: what a peer may claim (docs/protocol.md) ---- */

/* Length of a frame, in bytes, until both sides have greeted: a HELLO with every address at its
 * longest is 1.5 KiB. What a stranger can make us hold. */
#define TH_WIRE_GREETING_MAX 4096

/* Length of a frame after that: a piece of a large message (64 KiB) and a shape at its longest fit
 * with room to spare, and what waits behind one waits for a tenth of a millisecond on a slow
 * network of 10 Gbit/s, ten on one of 100 Mbit/s. Bytes. */
#define TH_WIRE_FRAME_MAX (128u * 1024)

/* A peer that takes less than this cannot be talked to: the longest TYPE does not fit. Bytes. */
#define TH_WIRE_FRAME_LEAST (64u * 1024)

/* Text of a type's shape: some 2000 fields with names of usual length. Bytes. */
#define TH_WIRE_SHAPE_MAX (32u * 1024)

/* Body of one message as it travels, all pieces together: the largest message's bytes with heads
 * for them. Bytes. */
#define TH_WIRE_MESSAGE_MAX (TH_MESSAGE_SIZE_MAX + 64u * 1024)

/* Addresses that one system is dialled by, and bytes of each: a host name (253) is longer than any
 * that is used, and a port. */
#define TH_WIRE_ADDRESSES_MAX 8
#define TH_WIRE_ADDRESS_MAX   127

/* Types that one side of a link may announce: a program declares dozens. */
#define TH_WIRE_TYPES_MAX 4096

/* Bytes of names and shapes of a peer's types that this program does not know. */
#define TH_WIRE_TYPES_BYTES_MAX (1024u * 1024)

/* Memory that one message may take when it is decoded, what is inside it included: the largest and
 * as much again in envelopes and buffers of parts. Bytes. */
#define TH_WIRE_DECODED_MAX (2ull * TH_MESSAGE_SIZE_MAX)

/* Bytes of the words in a frame: why a connection closes, why a message came back. Two shapes of
 * usual length fit. */
#define TH_WIRE_WORDS_MAX 1023

/* ---- descriptors and signals ---- */

/* How soon a watch for whose message there was no memory is tried again. Nanoseconds: soon for
 * whoever waits, seldom for a machine that is short already. */
#define TH_WATCH_RETRY_NS 10000000

/* ---- logging ---- */

/* Records that may wait for the logger: a second of a busy program, 2 MiB of short ones. */
#define TH_LOG_QUEUE_DEFAULT 8192

/* Records a second from one call site: far above what anybody reads, far below what fills a disk
 * in an hour. */
#define TH_LOG_RATE_DEFAULT 1000

/* The runtime's own about one kind of event (a dead letter's from, to and type, say), a second. */
#define TH_LOG_RATE_EVENTS 5

/* Text of a record, in bytes with the NUL; what is longer is cut, and says so. */
#define TH_LOG_TEXT_SIZE 4096

/* Fields of a record, bytes of each one's text, and of all together; what is more is cut, too. */
#define TH_LOG_FIELDS_MAX       32
#define TH_LOG_FIELD_TEXT_MAX   1024
#define TH_LOG_FIELDS_BYTES_MAX 8192

#define TH_LOG_SINKS_MAX  8
#define TH_LOG_RULES_MAX  64 /* looked through once per actor that logs */
#define TH_LOG_ACTORS_MAX 64 /* the same, for thresholds of single actors */

/* A log file's size in bytes before it is rotated, and how many old ones stay: as Thespian's
 * director keeps its logs. Below the least (Thespian's) there is no use in a file. */
#define TH_LOG_FILE_SIZE_DEFAULT (5u * 1024 * 1024)
#define TH_LOG_FILE_SIZE_LEAST   10240
#define TH_LOG_FILE_KEEP_DEFAULT 3
#define TH_LOG_FILE_KEEP_MAX     99

/* How long the logger waits for a pipe or socket that takes nothing, in nanoseconds; then records
 * for it are dropped at once until it takes one again. */
#define TH_LOG_SINK_WAIT_NS 500000000

/* First pause before a logger that died is started again, and the longest; it doubles. */
#define TH_LOG_BACKOFF_MIN_NS 10000000
#define TH_LOG_BACKOFF_MAX_NS 5000000000

/* ---- links: sockets ---- */

/* Read at once, into one buffer that all connections share: what a fast peer has sent while we
 * looked elsewhere, and small enough to stay in a core's cache. Bytes. */
#define TH_LINK_READ_SIZE (128u * 1024)

/* What one connection may read, and write, before the others have their turn. Bytes: a millisecond
 * at 10 Gbit/s. */
#define TH_LINK_TURN_BYTES (1024u * 1024)

/* Pieces that one system call writes. */
#define TH_LINK_PIECES 64

/* How long a dial tries all addresses of a host, its lookup included: three losses of a first
 * packet (1, 3, 7 s). And how long one is waited for before the next is tried beside it, as
 * browsers do (RFC 8305). Nanoseconds. */
#define TH_LINK_CONNECT_NS 10000000000
#define TH_LINK_STAGGER_NS 250000000

/* Addresses of one name that are tried; names looked up at once, each of which holds a thread as
 * long as its resolver likes (libuv has 4 by default). */
#define TH_LINK_ADDRESSES_MAX 16
#define TH_LINK_LOOKUPS_MAX   4

/* Addresses that a system listens on, and what may wait there until it has time. */
#define TH_LINK_LISTENERS_MAX 16
#define TH_LINK_BACKLOG       1024

/* Accepted in one round. */
#define TH_LINK_ACCEPT_TURN 64

/* Connections that have not greeted yet, in all and from one host: as many systems as one machine
 * is likely to run, all coming back at once. */
#define TH_LINK_STRANGERS_MAX      256
#define TH_LINK_STRANGERS_PER_HOST 16

/* How long a stranger may take to show who he is, with TLS. Nanoseconds: two certificates and two
 * signatures take milliseconds, a bad line seconds. And what he may send as certificates. Bytes. */
#define TH_LINK_HANDSHAKE_NS     5000000000
#define TH_LINK_CERTIFICATES_MAX 16384

/* How soon it is tried again to accept when there was no descriptor for it. Nanoseconds: ten looks
 * a second cost nothing, and nobody gives up waiting within them. */
#define TH_LINK_ACCEPT_PAUSE_NS 100000000

/* ---- links to other systems ---- */

/* Systems that one is linked to at once: a link at rest costs some 2 KiB. */
#define TH_LINK_LINKS_DEFAULT 4096

/* Connections of others' dialling that have not greeted yet; each may cost us TH_WIRE_GREETING_MAX
 * bytes and a descriptor for so long. Two seconds are many round trips on any network, and what a
 * slow stranger is given. Nanoseconds. */
#define TH_LINK_STRANGERS_DEFAULT 256
#define TH_LINK_GREETING_NS       2000000000

/* How long a connection may take to be had before the link stops waiting for whoever moves the
 * bytes: a SYN is sent four times in it. Nanoseconds. */
#define TH_LINK_DIAL_NS 15000000000

/* Who hears nothing for so long asks, and after two more such periods without an answer the
 * connection is dead. Nanoseconds: half a minute until a cable that was pulled is noticed. */
#define TH_LINK_PING_NS 10000000000

/* How long a link may be without a connection that it wants before it is given up and what it holds
 * is dead letters: a machine restarts, or a switch, in less. Nanoseconds. */
#define TH_LINK_PATIENCE_NS 60000000000

/* A connection that neither side needed for so long is closed, and opened again on demand: 20
 * minutes, as Thespian has it. Nanoseconds. */
#define TH_LINK_IDLE_NS 1200000000000

/* A message that could not be sent for so long is a dead letter. Nanoseconds: 5 minutes, as
 * Thespian has it; a link that is down ends sooner, by its patience. */
#define TH_LINK_EXPIRY_NS 300000000000

/* Pause after a first failure to connect, and the longest, which the thirteenth in a row has:
 * Thespian's figures. Nanoseconds. */
#define TH_LINK_PAUSE_MIN_NS 20000000
#define TH_LINK_PAUSE_MAX_NS 7329000000

/* How long an acknowledgement waits for a frame to ride on, in nanoseconds: short against a round
 * trip between machines that matter, long against an answer of the actor's. It does not wait beyond
 * so many frames. */
#define TH_LINK_ACK_NS     1000000
#define TH_LINK_ACK_FRAMES 64

/* What may be on its way unacknowledged, in frames and in bytes: 64-byte messages at 5 million a
 * second for 3 ms; 10 Gbit/s for 6 ms. 24 bytes of record for each frame. */
#define TH_LINK_UNACKED_DEFAULT 16384
#define TH_LINK_UNACKED_BYTES   (8u * 1024 * 1024)

/* Bytes made ready before the connection can take them: two large writes. What is urgent waits
 * behind no more than that. */
#define TH_LINK_AHEAD (256u * 1024)

/* Bytes of a chunk of these, and of a message, or a piece of one, in one frame: less than every
 * peer takes (TH_WIRE_FRAME_LEAST), and with its header not more than a chunk. */
#define TH_LINK_CHUNK_SIZE (64u * 1024)
#define TH_LINK_PIECE_SIZE (60u * 1024)

/* Messages larger than a piece that are under way at once on a link: each is encoded whole. Bytes
 * of them together. */
#define TH_LINK_TRANSFERS_MAX  4
#define TH_LINK_TRANSFER_BYTES (64u * 1024 * 1024)

/* What a message that came may take in memory, for each byte of its body and besides: a message
 * inside it is 10 bytes on the wire and 128 here; a struct has room for what is not there. */
#define TH_LINK_BODY_FACTOR 32
#define TH_LINK_BODY_SLACK  65536

/* Messages taken from a link's queue that cannot be sent just now; the others stay in the queue. */
#define TH_LINK_ASIDE_MAX 256

/* How long a connection may take to write why it closes. Nanoseconds. */
#define TH_LINK_CLOSE_NS 1000000000

/* ---- troupes ---- */

#define TH_TROUPE_WORKERS_DEFAULT 10         /* most workers */
#define TH_TROUPE_IDLE_DEFAULT    2          /* idle workers kept */
#define TH_TROUPE_LINGER_NS       2000000000 /* how long a worker past the idle floor stays */
#define TH_TROUPE_PENDING_DEFAULT                                                                  \
    (1024u * 1024) /* jobs queued while all are busy; past it a job is a dead letter */
#define TH_TROUPE_KILLS_DEFAULT 3 /* workers that may die of one job before it is poison */
#define TH_TROUPE_BACKOFF_MIN_NS                                                                   \
    10000000 /* first pause before a dead worker is replaced; doubles each time */
#define TH_TROUPE_BACKOFF_MAX_NS 5000000000 /* and its ceiling */

/* ---- routers ---- */

#define TH_ROUTER_CHILDREN_DEFAULT 4    /* routees made, when a class is given and no number */
#define TH_ROUTER_ROUTEES_DEFAULT  1024 /* children and guests of one router */
#define TH_ROUTER_ROUTEES_MAX                                                                      \
    65536 /* that an option may ask for: by key each is looked at for each message */
#define TH_ROUTER_WAITING_MAX    (1024u * 1024) /* that an option may have wait for a routee */
#define TH_ROUTER_BACKOFF_MIN_NS 10000000   /* pause before a dead child is replaced; it doubles */
#define TH_ROUTER_BACKOFF_MAX_NS 5000000000 /* and its ceiling; up so long, all is forgiven */

/* ---- topics ---- */

/* Bytes of a topic's or a filter's name, with the NUL; it travels in each publication. Its levels:
 * matching looks at two to the power of them at the very worst. */
#define TH_TOPIC_SIZE       128
#define TH_TOPIC_LEVELS_MAX 16

#define TH_TOPICS_DEFAULT               (64u * 1024) /* names in use at once; a program's design */
#define TH_TOPICS_SUBSCRIPTIONS_DEFAULT (1024u * 1024) /* 64 bytes each */

/* ---- supervisors ---- */

#define TH_SUPERVISOR_ID_SIZE          64 /* bytes of a child's id, with the NUL */
#define TH_SUPERVISOR_RESTARTS_DEFAULT 3  /* borne within the window */
#define TH_SUPERVISOR_RESTARTS_MAX     64 /* that an option may ask for; each is remembered */
#define TH_SUPERVISOR_WINDOW_NS        5000000000
#define TH_SUPERVISOR_BACKOFF_MIN_NS                                                               \
    10000000 /* pause before a first restart; doubles with each failure in a row */
#define TH_SUPERVISOR_BACKOFF_MAX_NS 5000000000 /* and its ceiling */
#define TH_SUPERVISOR_CHILDREN_MAX                                                                 \
    4096 /* of one supervisor: it searches them one by one; more belong to several */

#endif
