#include "runtime/actor/reason.h"

#include <stdarg.h>
#include <stdio.h>

#include "runtime/actor/send.h"

/* th_fail()'s words belong to a message, unless that message is the end. */
static bool is_of_a_message(const struct thi_cell *cell)
{
    return cell->exit_reason == TH_EXIT_INIT || cell->exit_reason == TH_EXIT_FAILED;
}

static void set_words(struct thi_cell *cell, th_blob *words)
{
    th_blob_unref(cell->extra->exit_words);
    cell->extra->exit_words = words;
}

void thi_reason_asked(th_self *self, struct thi_cell *cell, th_exit_reason reason, th_err err,
                      th_blob *words)
{
    bool spoke = (cell->flags & THI_CELL_EXIT_ASKED) && cell->exit_reason == TH_EXIT_ERROR;

    if (spoke || thi_cell_life(cell) >= THI_CELL_EXITING) {
        th_blob_unref(words);
        return;
    }
    cell->exit_reason = (err ? TH_EXIT_CONDEMNED : reason) & 0xf;
    if (!err && !words)
        return;
    if (thi_cell_extra(self->worker->stage, cell)) {
        cell->extra->exit_err = err;
        set_words(cell, words);
    } else {
        th_blob_unref(words);
    }
}

void thi_reason_linked(th_self *self, struct thi_cell *cell, th_err err, th_blob *words)
{
    cell->exit_reason = TH_EXIT_LINK;
    if (!thi_cell_extra(self->worker->stage, cell))
        return;
    cell->extra->exit_err = err;
    set_words(cell, th_blob_ref(words));
}

void thi_reason_failed(th_self *self, struct thi_cell *cell, th_err err)
{
    if (!thi_cell_extra(self->worker->stage, cell))
        return;
    cell->extra->exit_err = err;
    set_words(cell, NULL);
}

bool thi_reason_fill(th_self *self, struct thi_cell *cell, struct th_child_exited *body)
{
    struct thi_cell_extra *extra = cell->extra;

    body->reason = cell->exit_reason;
    if (!extra)
        return true;
    body->err = extra->exit_err;
    if (is_of_a_message(cell) && extra->details[0] && !extra->exit_words &&
        !(extra->exit_words = th_blob_text(self, extra->details)))
        return false;
    body->details = th_blob_ref(extra->exit_words);
    return true;
}

/* ---- the front door ---- */

static th_err check(const th_self *self)
{
    if (!self)
        return TH_E_INVALID;
    return self->worker ? TH_OK : TH_E_NOT_HERE;
}

static th_blob *make_words(th_self *self, const char *format, va_list args) TH_PRINTF(2, 0);

static th_blob *make_words(th_self *self, const char *format, va_list args)
{
    char text[TH_DETAILS_SIZE];

    vsnprintf(text, sizeof(text), format, args);
    return th_blob_text(self, text);
}

th_err th_exit_because(th_self *self, th_err err, const char *format, ...)
{
    th_err answer = check(self);
    struct thi_cell *cell;
    th_blob *words = NULL;
    va_list args;

    if (answer)
        return answer;
    cell = thi_cell_of_self(self);
    if (thi_cell_life(cell) >= THI_CELL_EXITING)
        return TH_E_CLOSED;
    cell->exit_reason = (err ? TH_EXIT_ERROR : TH_EXIT_NORMAL) & 0xf;
    thi_cell_raise(cell, THI_CELL_EXIT_ASKED);
    if (!err && !format && !cell->extra)
        return TH_OK;
    if (!thi_cell_extra(self->worker->stage, cell))
        return TH_E_NOMEM;
    if (format) {
        va_start(args, format);
        words = make_words(self, format, args);
        va_end(args);
    }
    cell->extra->exit_err = err;
    set_words(cell, words);
    return format && !words ? TH_E_NOMEM : TH_OK;
}

th_err th_stop_because(th_self *self, th_addr to, th_err err, const char *format, ...)
{
    struct th_exit_request *body;
    va_list args;
    th_msg *msg;

    if (!self)
        return TH_E_INVALID;
    msg = th_exit_request_new(self, &body);
    if (msg) {
        body->err = err;
        if (format) {
            va_start(args, format);
            body->details = make_words(self, format, args);
            va_end(args);
            if (!body->details) {
                th_msg_destroy(self, msg);
                return TH_E_NOMEM;
            }
        }
    }
    return th_send(self, to, msg);
}

th_err th_exit_later(th_self *self)
{
    th_err err = check(self);
    struct thi_cell *cell;

    if (err)
        return err;
    cell = thi_cell_of_self(self);
    if (!(cell->flags & THI_CELL_EXIT_HEARD))
        return TH_E_STATE;
    thi_cell_lower(cell, THI_CELL_EXIT_HEARD);
    return TH_OK;
}

th_err th_exit_why(const th_self *self, th_exit_info *info_out)
{
    th_err err = check(self);
    const struct thi_cell *cell;

    if (err || !info_out)
        return err ? err : TH_E_INVALID;
    cell = thi_cell_of_self(self);
    if (thi_cell_life(cell) < THI_CELL_EXITING)
        return TH_E_STATE;
    *info_out = (th_exit_info){ .reason = (th_exit_reason)cell->exit_reason };
    if (!cell->extra)
        return TH_OK;
    info_out->err = cell->extra->exit_err;
    if (cell->extra->exit_words)
        info_out->details = cell->extra->exit_words->data;
    else if (is_of_a_message(cell) && cell->extra->details[0])
        info_out->details = cell->extra->details;
    return TH_OK;
}
