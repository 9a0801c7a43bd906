// tally.cpp WORD...: C++ over the same front door: an actor is a class, its messages own themselves,
// and what it throws is a failure like any other.
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>

#include <thespis/thespis.hpp>

#define WORD_FIELDS(F, S) F(S, chars, text, 64)
TH_MESSAGE(word, WORD_FIELDS);
TH_MESSAGE_TYPE(word, WORD_FIELDS)

#define COUNT_FIELDS(F, S) F(S, u64, times)
TH_MESSAGE(count, COUNT_FIELDS);
TH_MESSAGE_TYPE(count, COUNT_FIELDS)

// Answers each word with how often it has come.
class tally
{
  public:
    th_err receive(th_self *self, const th_msg *msg)
    {
        const word *heard = word_of(msg);
        count answer = count();

        if (!heard)
            return TH_OK;
        if (heard->text[0] == '\0')
            throw std::invalid_argument("a word without a letter");
        answer.times = ++times_[heard->text];
        return count_send(self, th_msg_sender(msg), answer);
    }

  private:
    std::map<std::string, std::uint64_t> times_;
};

static thespis::message ask_for(th_self *self, th_addr whom, const std::string &text, th_err *err)
{
    word *body;
    thespis::message question(self, word_new(self, &body));

    if (question)
        text.copy(body->text, sizeof(body->text) - 1); // the rest is zero
    return thespis::ask(self, whom, std::move(question), TH_S(5), err);
}

int main(int argc, char **argv)
{
    thespis::system system;
    th_addr whom;
    th_err err = system.error();

    if (!err)
        err = th_spawn(system.self(), thespis::class_of<tally>("tally"), nullptr, &whom);
    for (int i = 1; i < argc && !err; i++) {
        thespis::message answer = ask_for(system.self(), whom, argv[i], &err);
        const count *times = count_of(answer.get());
        const th_poison *poison = th_poison_of(answer.get());

        if (times)
            std::cout << argv[i] << ": " << times->times << "\n";
        else if (poison)
            std::cout << "refused: " << (poison->details ? poison->details->data : "") << "\n";
    }
    if (err)
        std::cerr << th_strerror(err) << "\n";
    return err ? 1 : 0;
}
