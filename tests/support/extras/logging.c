/* Players log, and change what is logged. Whatever passes is written or in a count, the sink gets
 * what the counts say, and on the simple base in the order it was said. */
#include "tests/support/extras/extras.h"

/* The sink is older than the run that it is asked of, so what it knows is kept here. */
static struct {
    _Atomic uint64_t system; /* whose sink it is */
    _Atomic uint64_t written;
    _Atomic uint64_t last;
    _Atomic bool is_disordered;
} book;

static th_err write_down(void *context, const th_log_record *record)
{
    if (!record->number)
        return TH_OK; /* the logger's own, which is in no count */
    atomic_fetch_add(&book.written, 1);
    if (atomic_exchange(&book.last, record->number) >= record->number)
        atomic_store(&book.is_disordered, true);
    return TH_OK;
}

static const th_log_sink sink = { .kind = TH_LOG_SINK_FUNCTION, .write = write_down };
const th_log_options random_logging_options = { .threshold = TH_LOG_ERROR,
                                                .sinks = &sink,
                                                .sink_count = 1,
                                                .rate_max = 20,
                                                .ignore_environment = true };

void random_logging_start(th_system *sys)
{
    atomic_store(&book.written, 0);
    atomic_store(&book.last, 0);
    atomic_store(&book.is_disordered, false);
    th_log_error(th_system_self(sys), "so that the logger is there before the play begins");
    if (th_log_flush(sys, TH_S(60)) == TH_OK)
        atomic_store(&book.system, th_system_id(sys));
}

/* A system of somebody else's, as in the soak: its log is not ours to count. */
static th_err begin(th_self *me, struct random_extra_run *run)
{
    return atomic_load(&book.system) == th_system_id(run->sys) ? TH_OK : TH_E_STATE;
}

static void act(th_self *player, struct random_extra_run *run)
{
    static const char *const rules[] = { "", "player=warn", "random.*=info,player=off" };
    uint64_t pick = th_random(player) >> 20;
    th_log_level level = (th_log_level)(TH_LOG_WARN + pick % 3);

    switch ((pick >> 8) % 8) {
    case 0: (void)!th_log_threshold(run->sys, level); break;
    case 1: (void)!th_log_rules(run->sys, rules[(pick >> 12) % 3]); break;
    case 2:
        (void)!th_log_actor_threshold(run->sys, th_self_addr(player),
                                      pick & 4096 ? level : TH_LOG_DEFAULT);
        break;
    default:
        for (uint64_t i = 0; i <= (pick >> 12) % 4; i++)
            th_log_with(player, level, "something to say", th_kv_u64("at", pick));
    }
}

static const char *verdict(struct random_extra_run *run, bool is_exact)
{
    th_system_status status;
    uint64_t now;

    if (th_log_flush(run->sys, TH_S(60)) || th_system_status_read(run->sys, &status))
        return "a log that cannot be flushed";
    if (status.log.waiting)
        return "records that wait after a flush";
    if (status.log.accepted != status.log.written + status.log.suppressed + status.log.dropped)
        return "records that are in no count";
    if (status.log.written != atomic_load(&book.written))
        return "the sink did not get what was written";
    if (is_exact && status.log.dropped)
        return "a record was dropped for nothing";
    if (th_virtual_now(run->sys, &now) == TH_OK && atomic_load(&book.is_disordered))
        return "records out of order";
    return NULL;
}

const struct random_extra random_extra_logging = {
    .name = "logging",
    .begin = begin,
    .act = act,
    .verdict = verdict,
};
