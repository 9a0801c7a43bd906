#include "runtime/actor/sample.h"

#include "runtime/actor/mail.h"
#include "runtime/actor/measure.h"
#include "runtime/actor/send.h"
#include "mailbox/msg.h"

void thi_sample_begin(struct thi_worker *worker)
{
    worker->is_sampling = true;
    thi_worker_heed(worker, THI_HEED_SAMPLE, true);
}

/* Only actors handle probes; whoever else is sent to is not measured. */
static bool is_actor(struct thi_stage *stage, th_addr to)
{
    struct thi_cell *cell = thi_directory_find(&stage->directory, to);

    return cell && (thi_cell_kind(cell) == THI_CELL_ACTOR || thi_cell_kind(cell) == THI_CELL_OWN);
}

void thi_sample_send(th_self *self, th_addr to)
{
    struct thi_worker *worker = self->worker;
    th_msg *probe;

    thi_worker_heed(worker, THI_HEED_SAMPLE, false);
    if (!is_actor(thi_stage_of(self), to))
        return;
    probe = thi_msg_create(&worker->heap, &thi_probe_type, 0);
    if (!probe)
        return; /* one sample less */
    ((struct thi_probe *)th_msg_body(probe))->cycles = thi_cycles();
    thi_post_to(self, th_self_addr(self), to, probe);
}

void thi_sample_arrived(th_self *self, struct thi_cell *cell, const th_msg *probe)
{
    if (self->worker->samples)
        thi_measure_waited(self->worker, cell, thi_cycles_since(thi_probe_of(probe)->cycles));
}
