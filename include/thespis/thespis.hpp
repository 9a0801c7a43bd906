// thespis.hpp: the front door for C++11 and later: ownership by objects, classes from types.
//
// Header only, and nothing but the C functions behind it. Nothing here throws; what an actor's code
// throws does not cross into C: it is caught, and is a failure of the message (th_fail() with the
// exception's text), of init, or swallowed where nothing may fail (exit).
//
//     struct counter {
//         int count = 0;
//         th_err receive(th_self *self, const th_msg *msg) { ...; return TH_OK; }
//     };
//     thespis::system sys;                      // created and started
//     th_addr addr;
//     th_err err = th_spawn(sys.self(), thespis::class_of<counter>("counter"), nullptr, &addr);
//     thespis::message answer = thespis::ask(sys.self(), addr, question, TH_S(1), &err);
#ifndef THESPIS_THESPIS_HPP
#define THESPIS_THESPIS_HPP

#include <cstddef>
#include <exception>
#include <new>
#include <utility>

#include <thespis/thespis.h>

namespace thespis
{

/// A message that is ours until it is released. Moves, does not copy: dup() says so.
class message
{
  public:
    message() noexcept : self_(nullptr), msg_(nullptr)
    {
    }
    /// @msg [take], of the thread that holds @self.
    message(th_self *self, th_msg *msg) noexcept : self_(self), msg_(msg)
    {
    }
    message(message &&other) noexcept : self_(other.self_), msg_(other.release())
    {
    }
    message &operator=(message &&other) noexcept
    {
        std::swap(self_, other.self_);
        std::swap(msg_, other.msg_);
        return *this;
    }
    message(const message &) = delete;
    message &operator=(const message &) = delete;
    ~message()
    {
        if (msg_)
            th_msg_destroy(self_, msg_);
    }
    explicit operator bool() const noexcept
    {
        return msg_ != nullptr;
    }
    const th_msg *get() const noexcept
    {
        return msg_;
    }
    /// For a call that takes it, such as th_send().
    th_msg *release() noexcept
    {
        th_msg *msg = msg_;
        msg_ = nullptr;
        return msg;
    }
    message dup() const noexcept
    {
        return message(self_, msg_ ? th_msg_dup(self_, msg_) : nullptr);
    }

  private:
    th_self *self_;
    th_msg *msg_;
};

/// A system that runs from here to the end of its scope; error() says if it does not.
class system
{
  public:
    explicit system(const th_options *options = nullptr, uint64_t patience_ns = TH_S(10)) noexcept
        : system_(th_system_create(options)), patience_ns_(patience_ns),
          error_(system_ ? th_system_start(system_) : TH_E_INVALID)
    {
    }
    system(const system &) = delete;
    system &operator=(const system &) = delete;
    /// Shuts down for at most the time given; an actor that does not end by then keeps its memory.
    ~system()
    {
        if (!error_)
            error_ = th_system_shutdown(system_, patience_ns_, nullptr, nullptr);
        (void)th_system_destroy(system_);
    }
    th_err error() const noexcept
    {
        return error_;
    }
    th_system *get() const noexcept
    {
        return system_;
    }
    th_self *self() const noexcept
    {
        return th_system_self(system_);
    }

  private:
    th_system *system_;
    uint64_t patience_ns_;
    th_err error_;
};

/// A private endpoint of this thread's.
class endpoint
{
  public:
    explicit endpoint(system &of) noexcept : self_(nullptr), error_(th_endpoint_open(of.get(), &self_))
    {
    }
    endpoint(const endpoint &) = delete;
    endpoint &operator=(const endpoint &) = delete;
    ~endpoint()
    {
        if (!error_)
            (void)th_endpoint_close(self_);
    }
    th_err error() const noexcept
    {
        return error_;
    }
    th_self *self() const noexcept
    {
        return self_;
    }

  private:
    th_self *self_;
    th_err error_;
};

/// th_ask(); nothing in it when *@err_out is not TH_OK.
inline message ask(th_self *self, th_addr to, message question, uint64_t timeout_ns,
                   th_err *err_out) noexcept
{
    th_msg *answer = nullptr;
    *err_out = th_ask(self, to, question.release(), timeout_ns, &answer);
    return message(self, answer);
}

/// th_listen().
inline message listen(th_self *self, uint64_t timeout_ns, th_err *err_out) noexcept
{
    th_msg *msg = nullptr;
    *err_out = th_listen(self, timeout_ns, &msg);
    return message(self, msg);
}

namespace detail
{

template <class Call> th_err guard(th_self *self, Call call) noexcept
{
    try {
        return call();
    } catch (const std::bad_alloc &) {
        return th_fail(self, TH_E_NOMEM, "out of memory");
    } catch (const std::exception &e) {
        return th_fail(self, TH_E_FAILED, "%s", e.what());
    } catch (...) {
        return th_fail(self, TH_E_FAILED, "something was thrown");
    }
}

/// An actor's state: the object, once it is made.
template <class T> struct stage {
    bool is_made;
    alignas(T) unsigned char bytes[sizeof(T)];
    T *object() noexcept
    {
        return reinterpret_cast<T *>(bytes);
    }
};

/// T(self, arg) if there is such a constructor, T() otherwise.
template <class T> auto make(void *at, th_self *self, const th_msg *arg, int)
    -> decltype(T(self, arg), void())
{
    ::new (at) T(self, arg);
}
template <class T> void make(void *at, th_self *, const th_msg *, long)
{
    ::new (at) T();
}

template <class T> th_err init(th_self *self, void *state, const th_msg *arg)
{
    return guard(self, [=]() -> th_err {
        stage<T> *held = static_cast<stage<T> *>(state);
        make<T>(held->bytes, self, arg, 0);
        held->is_made = true;
        return TH_OK;
    });
}

template <class T> th_err receive(th_self *self, void *state, const th_msg *msg)
{
    return guard(self, [=]() -> th_err {
        return static_cast<stage<T> *>(state)->object()->receive(self, msg);
    });
}

template <class T> void leave(th_self *self, void *state)
{
    (void)guard(self, [=]() -> th_err {
        stage<T> *held = static_cast<stage<T> *>(state);
        if (held->is_made) { // init may have failed
            held->is_made = false;
            held->object()->~T();
        }
        return TH_OK;
    });
}

} // namespace detail

/// The class of actors whose state is a T: made by T(th_self *, const th_msg *arg) or T(), destroyed
/// at the exit, and called by `th_err receive(th_self *, const th_msg *)`. @name [keep] and
/// @on_failure count at the first call for each T.
template <class T>
const th_class *class_of(const char *name, th_on_failure on_failure = TH_ON_FAILURE_KEEP)
{
    static_assert(alignof(T) <= alignof(std::max_align_t), "state is aligned as malloc() does");
    static const th_class klass = [=] {
        th_class made = th_class();
        made.name = name;
        made.state_size = sizeof(detail::stage<T>);
        made.init = detail::init<T>;
        made.receive = detail::receive<T>;
        made.exit = detail::leave<T>;
        made.on_failure = on_failure;
        return made;
    }();
    return &klass;
}

} // namespace thespis
#endif
