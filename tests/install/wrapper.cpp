// wrapper.cpp: thespis.hpp from outside: objects own, exceptions stay in C++, nothing is left.
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thespis/thespis.hpp>

#define NUMBER_FIELDS(F, S) F(S, i32, value)
TH_MESSAGE(number, NUMBER_FIELDS);
TH_MESSAGE_TYPE(number, NUMBER_FIELDS)

static int alive;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::printf("line %d: %s\n", __LINE__, #condition);                                    \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

struct adder {
    int sum;
    std::string said; // so that a forgotten destructor is a leak
    adder(th_self *, const th_msg *arg) : sum(number_of(arg)->value), said(1000, 'x')
    {
        if (sum < 0)
            throw std::runtime_error("less than nothing");
        alive++;
    }
    ~adder()
    {
        alive--;
    }
    th_err receive(th_self *self, const th_msg *msg)
    {
        if (!number_of(msg))
            return TH_OK;
        if (number_of(msg)->value == 13)
            throw std::runtime_error("thirteen");
        if (number_of(msg)->value == 14)
            throw 14;
        sum += number_of(msg)->value;
        number answer = { sum };
        return number_send(self, th_msg_sender(msg), answer);
    }
};

struct plain {
    th_err receive(th_self *, const th_msg *)
    {
        return TH_OK;
    }
};

static thespis::message make(th_self *self, int value)
{
    number *body;
    th_msg *msg = number_new(self, &body);
    body->value = value;
    return thespis::message(self, msg);
}

static int play(thespis::system &sys)
{
    th_self *self = sys.self();
    char why[TH_DETAILS_SIZE];
    th_addr addr;
    th_err err;

    CHECK(th_spawn(self, thespis::class_of<plain>("plain"), nullptr, &addr) == TH_OK);
    CHECK(th_spawn(self, thespis::class_of<adder>("adder"), make(self, 5).release(), &addr) == TH_OK);
    thespis::message answer = thespis::ask(self, addr, make(self, 7), TH_S(20), &err);
    CHECK(err == TH_OK && number_of(answer.get())->value == 12);
    thespis::message copy = answer.dup(), moved = std::move(copy);
    CHECK(moved && !copy);
    for (int thrown = 13; thrown <= 14; thrown++) {
        answer = thespis::ask(self, addr, make(self, thrown), TH_S(20), &err);
        CHECK(err == TH_OK && th_poison_of(answer.get()));
        CHECK(th_poison_of(answer.get())->err == TH_E_FAILED);
        CHECK(thrown == 14 ||
              std::strcmp(th_poison_of(answer.get())->details->data, "thirteen") == 0);
    }
    th_spawn_options options = th_spawn_options();
    options.klass = thespis::class_of<adder>("adder");
    options.arg = make(self, -1).release();
    CHECK(th_create(self, &options, TH_S(20), &addr, why) == TH_E_INIT);
    CHECK(std::strcmp(why, "less than nothing") == 0);
    {
        thespis::endpoint own(sys);
        CHECK(own.error() == TH_OK);
        CHECK(th_send(self, th_self_addr(own.self()), make(self, 1).release()) == TH_OK);
        thespis::message heard = thespis::listen(own.self(), TH_S(20), &err);
        CHECK(err == TH_OK && number_of(heard.get())->value == 1);
    }
    return 0;
}

static th_err take_record(void *context, const th_log_record *record)
{
    if (record->field_count == 2 && std::strcmp(record->fields[1].value.s, "two") == 0)
        ++*static_cast<int *>(context);
    return TH_OK;
}

// A record's fields are gone with the statement, and the record has them.
static int log_fields()
{
    int taken = 0;
    th_log_sink sink = th_log_sink();
    th_log_options log = th_log_options();
    th_options options = th_options();

    sink.kind = TH_LOG_SINK_FUNCTION;
    sink.write = take_record;
    sink.context = &taken;
    log.sinks = &sink;
    log.sink_count = 1;
    options.log = &log;
    {
        thespis::system sys(&options);
        CHECK(sys.error() == TH_OK);
        th_log_with(sys.self(), TH_LOG_WARN, "fields", th_kv_u64("n", 1),
                    th_kv_str("text", std::string("two").c_str()));
    }
    CHECK(taken == 1);
    return 0;
}

int main()
{
    if (log_fields())
        return 1;
    {
        thespis::system sys;
        CHECK(sys.error() == TH_OK);
        if (play(sys))
            return 1;
    }
    CHECK(alive == 0);
    th_options absurd = th_options();
    absurd.workers = TH_WORKERS_MAX + 1;
    thespis::system none(&absurd);
    CHECK(none.error() != TH_OK);
    std::puts("all is well");
    return 0;
}
