/* logging.c: an actor that logs, a rule for its class, and a sink of one's own. */
#include <stdio.h>

#include <thespis/thespis.h>

TH_SIGNAL(work);
TH_SIGNAL_TYPE(work)

static th_err receive(th_self *self, void *state, const th_msg *msg)
{
    if (th_msg_type(msg) != &work_type)
        return TH_OK;
    th_log_debug(self, "about to work");
    th_log_with(self, TH_LOG_INFO, "worked", th_kv_str("kind", "hard"), th_kv_u64("pieces", 3));
    return th_send(self, th_msg_sender(msg), th_msg_create(self, &work_type));
}

static const th_class worker = { .name = "worker", .receive = receive };

/* On the logger's thread. */
static th_err show(void *context, const th_log_record *record)
{
    FILE *out = context;
    char line[512];

    if (*record->class_name == '\0')
        return TH_OK; /* only what actors say */
    fprintf(out, "%s: %s", th_log_level_name(record->level), record->text);
    for (uint32_t i = 0; i < record->field_count; i++)
        fprintf(out, " %s", record->fields[i].key);
    fprintf(out, "\n");
    return th_log_record_print(record, TH_LOG_FORMAT_JSON, line, sizeof(line)) ? TH_OK
                                                                               : TH_E_FAILED;
}

int main(void)
{
    th_log_sink sink = { .kind = TH_LOG_SINK_FUNCTION, .write = show, .context = stdout };
    th_log_options log = {
        .rules = "worker=debug", .sinks = &sink, .sink_count = 1, .ignore_environment = true
    };
    th_options options = { .log = &log };
    th_system *system = th_system_create(&options);
    th_self *self;
    th_msg *answer;
    th_addr addr;

    if (!system || th_system_start(system))
        return 1;
    self = th_system_self(system);
    if (th_spawn(self, &worker, NULL, &addr) ||
        th_ask(self, addr, th_msg_create(self, &work_type), TH_S(5), &answer))
        return 1;
    th_msg_destroy(self, answer);
    if (th_system_shutdown(system, TH_S(5), NULL, NULL)) /* writes what is left */
        return 1;
    return th_system_destroy(system) ? 1 : 0;
}
