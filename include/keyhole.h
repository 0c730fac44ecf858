// SPDX-License-Identifier: MIT
//
// Keyhole's public contract: all that an application, a course lab or a
// conformance suite may rely on. Nothing else in the tree is public.
//
// Contexts named below: "thread" is ordinary code with a stack of its own;
// "handler" is an interrupt or exception handler; "NMI" is the non-maskable
// kind; "any" is all three. Early boot is over before code outside the tree
// runs; before that only printf() and what ISO C has may be used. "Misuse:"
// lists what is reported as wrong use, with both call sites: it fails a test,
// elsewhere it is a panic. "SDM" is Intel's Software Developer's Manual, volume
// and section.
//
// `make docs` makes a page of each comment: a comment is about all that follows
// it up to the next empty line, and names the context of every call.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Bytes in a frame and in the smallest page (SDM 3A 4.1).
#define PAGE_SIZE 4096ul

// Error numbers, with Linux's values.
#define EPERM 1
#define ENOENT 2
#define EIO 5
#define ENXIO 6
#define ENOMEM 12
#define EFAULT 14
#define EBUSY 16
#define EEXIST 17
#define ENODEV 19
#define EINVAL 22
#define ENOSPC 28
#define EROFS 30
#define ERANGE 34
#define ENOSYS 38
#define EOPNOTSUPP 95
#define EUCLEAN 117

// ---------------------------------------------------------------- C library

// Print to the console: %c %s %d %i %u %x %p %%, with l ll z h, width, 0, -.
// Any context. Returns the number of bytes printed. Cannot fail.
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Write what printf() would print into `buffer` of `size` bytes, cut short if
// need be, and always terminated when size > 0. Any context. Returns the length
// in bytes that the whole text has, which may be `size` or more. Cannot fail.
int snprintf(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Copy, fill, compare and measure, as in ISO C; lengths in bytes. They touch
// memory like any other code: an address behind a closed key is refused. Any
// context. Returns what ISO C says: `to`, the sign of the first difference, or
// the length.
void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);

// -------------------------------------------------------- Frames and domains

// A physical address, in bytes from 0.
typedef uint64_t phys_addr_t;

// One frame of physical memory. The members are private; the frames of one
// block are page + i.
struct page {
    uint32_t private_next;
    uint32_t private_site;
    uint32_t private_prev;
    uint16_t private_domain;
    uint8_t private_order;
    uint8_t private_state;
};

// A set of frames that opens and closes together, behind one protection key.
struct domain;

// The domain of frames for which nobody asked for another one.
extern struct domain *const domain_ram;

// Make a new, empty domain. `name` is copied (39 bytes at most are kept) and
// need not be unique. Thread context. NULL: out of memory, or 4092 domains are
// there already.
struct domain *domain_create(const char *name);

// Give a domain back. Thread context. Returns 0, or -EBUSY while it owns
// frames, or -EINVAL for NULL and for the built-in domains, or -ENOMEM (the
// domain stays) when no page table is left to give its memory back.
int domain_destroy(struct domain *domain);

// The name that a domain was created with. Any context. Cannot fail.
const char *domain_name(const struct domain *domain);

// Allocate 2^order contiguous frames of zeroes for a domain, aligned to their
// size; `order` is 0 to 10. The frames are closed: open a bracket to touch
// them. Thread context. NULL: no memory, or an order above 10. Misuse: a domain
// that does not exist; in debug builds also a frame that was written to after
// it was freed.
struct page *alloc_pages(struct domain *domain, unsigned order);

// Give back what alloc_pages() returned, with the same order. The frames are
// poisoned. Thread context. Misuse: a second free, another order, a frame that
// is not the first of its block or that alloc_pages() did not give, or a frame
// on which a bracket, a kmap() or a vmap() is open.
void free_pages(struct page *page, unsigned order);

// Allocate and free one frame: alloc_pages() and free_pages() with order 0,
// with their misuses. Thread context. NULL: no memory.
struct page *alloc_page(struct domain *domain);
void free_page(struct page *page);

// The physical address of a frame, in bytes. Any context. Cannot fail.
phys_addr_t page_to_phys(const struct page *page);

// The frame that holds a physical address. Thread context (the first use of a
// section of memory sets up its frame table). NULL: there is no RAM.
struct page *phys_to_page(phys_addr_t address);

// The domain that owns a frame; NULL when it is free or the kernel's own. Any
// context.
struct domain *page_domain(const struct page *page);

// For tests only: where a frame is in the direct map. Knowing the address gives
// no right to use it. Any context. Cannot fail.
void *page_direct_map_address(const struct page *page);

// ---------------------------------------------------------------------- Heap

// `size` bytes of the kernel's own memory, writable and never executable,
// always open (key 0). Aligned to 16; a size that is a power of two is aligned
// to itself, up to PAGE_SIZE; from about 3 KiB on the object has whole pages
// and an unmapped one behind it. kmalloc()'s contents are undefined,
// kzalloc()'s are 0. Size 0 gives an object of no bytes, with an address of its
// own, to be freed like any other. Thread context. NULL: out of memory, or a
// size above 4 GiB less a page.
void *kmalloc(size_t size) __attribute__((malloc, alloc_size(1)));
void *kzalloc(size_t size) __attribute__((malloc, alloc_size(1)));

// Give back what kmalloc() or kzalloc() returned; NULL is nothing to do. Thread
// context. Misuse: a second free, an address inside an object, or one that the
// heap did not give; in debug builds also an object that was written to past
// its end. A debug build's kmalloc() reports a write to freed memory when it
// gives that memory again.
void kfree(void *object);

// ------------------------------------------------------------------ Brackets

// Open one frame for this thread and return its address; read and write, or
// read only. Closed by kunmap_local() in reverse order; nests up to 32 deep.
// Cannot fail. Any context; a handler closes what it opened. Misuse: a frame
// that is free, or the kernel's own; too many brackets.
void *kmap_local_page(struct page *page);
const void *kmap_local_page_ro(struct page *page);

// Open the frames behind bytes offset to offset + length - 1 of the contiguous
// frames from `first` on, and return the address of that first byte. offset may
// pass the end of a frame; offset and length are bytes. One bracket, however
// long, read and write, or read only. Closed and nested as kmap_local_page()'s.
// Cannot fail. Any context. Misuse: length 0, and a range whose frames are not
// all allocated and of one domain; too many brackets.
void *kmap_local_range(struct page *first, size_t offset, size_t length);
const void *kmap_local_range_ro(struct page *first, size_t offset,
                                size_t length);

// Open `count` frames of one domain, 1 to 512, wherever they are (one may
// appear twice), at one contiguous address for this thread; read and write, or
// read only. Closed and nested as kmap_local_page()'s. Allocates nothing and
// cannot fail. Any context. Misuse: no frames or more than 512 (in all brackets
// of a thread together about 1,000 fit), a frame that is not allocated, frames
// of several domains; too many brackets.
void *kmap_local_pages(struct page *const pages[], size_t count);
const void *kmap_local_pages_ro(struct page *const pages[], size_t count);

// Close the innermost bracket of kmap_local_page(), kmap_local_range() or
// kmap_local_pages(); `address` is what the map call returned. Any context.
// Misuse: an address that is not the innermost bracket's: out of order, a
// second time, never mapped, or the bracket of the code that a handler
// interrupted.
void kunmap_local(const void *address);

// Open a frame, or `count` contiguous ones, for every thread on every CPU, and
// return the address; it may be handed over. Counted: the address stays until
// kunmap() was called as often, and a second kmap() of a frame gives the same.
// Thread context. NULL: out of memory, nothing changed. Misuse: a frame that is
// not allocated; more kunmaps than kmaps; no frames.
void *kmap(struct page *page);
void kunmap(struct page *page);
void *kmap_range(struct page *first, size_t count);
void kunmap_range(struct page *first, size_t count);

// What vmap() may give; MAP_READ always, MAP_UNCACHED for devices.
#define MAP_READ 1u
#define MAP_WRITE 2u
#define MAP_UNCACHED 4u

// A new contiguous range of addresses for `count` frames of any domains, for
// every thread, with an unmapped guard page at each end; never executable.
// Thread context. NULL: out of memory or addresses. Misuse: no frames, a frame
// that is not allocated, an unknown prot.
void *vmap(struct page *const pages[], size_t count, unsigned prot);

// A new contiguous range of addresses for `length` bytes of physical memory
// from `base` on (both in bytes): frames, or a device. For every thread, with
// an unmapped guard page at each end; never executable. Leaves as large as
// alignment allows. Thread context. NULL: out of memory or addresses, or the
// range holds RAM that is not allocated, or is larger than the CPU can address.
// Misuse: length 0, an unaligned base, an unknown prot.
void *vmap_range(phys_addr_t base, size_t length, unsigned prot);

// Take back what vmap() or vmap_range() gave. On return no CPU can reach the
// frames through it. Thread context. Misuse: any other address; a second time.
void vunmap(const void *address);

// Copy to, from and between frames, and fill one with the byte `value` or with
// 0, inside brackets of their own. `offset`, `to_offset`, `from_offset` and
// `length` are bytes. Any context. Misuse: a range that leaves its frame; a
// frame that kmap_local_page() would refuse.
void memcpy_from_page(void *to, struct page *page, size_t offset,
                      size_t length);
void memcpy_to_page(struct page *page, size_t offset, const void *from,
                    size_t length);
void memcpy_page(struct page *to, size_t to_offset, struct page *from,
                 size_t from_offset, size_t length);
void memset_page(struct page *page, size_t offset, int value, size_t length);
void memzero_page(struct page *page, size_t offset, size_t length);

// ---------------------------------------------------------- Persistent memory

// A region that keeps its contents when power is lost, found at boot in the
// NFIT (ACPI 6.5, 5.2.26) or as type 7 in the memory map (15.5). Its frames are
// all those of a domain of its own, closed until a map call opens them, and are
// never allocated or freed.
struct pmem_region {
    phys_addr_t base;         // bytes, a multiple of `alignment`
    uint64_t length;          // bytes, a multiple of `alignment`
    uint64_t alignment;       // bytes: 2 MiB, so that large leaves map it
    struct page *first;       // of length / PAGE_SIZE frames
    struct domain *domain;    // "pmem0" and so on
    uint64_t reported_base;   // as firmware has it, in bytes, before it was
    uint64_t reported_length; // shrunk to multiples of `alignment`
    bool from_nfit;           // if not, all below is 0
    uint32_t handle;          // of the NVDIMM, as ACPI names it; 0: no name
    bool identified;          // if not, all below is 0
    uint32_t serial;          // its number
    uint16_t vendor, device;  // who made it, and what it is
};

// How many there are. Any context.
unsigned pmem_regions(void);

// The region with this index, from 0 on. Any context. NULL: there are not so
// many.
const struct pmem_region *pmem_region(unsigned index);

// Write back the cache lines that hold `length` bytes from `address` on, each
// once, by CLWB, else CLFLUSHOPT, else CLFLUSH (SDM 2A). They may be refused
// like a read: call it inside a bracket. Nothing is certain before
// pmem_drain(). Any context.
void pmem_flush(const void *address, size_t length);

// SFENCE: what this CPU has flushed, or stored by pmem_copy_to(), is durable
// when it returns. Not where the kernel has warned at boot that a power cut may
// lose it: there it has only come as far as the memory controller. Any context.
void pmem_drain(void);

// pmem_flush() of `length` bytes from `address` on, and pmem_drain(). Any
// context.
void pmem_persist(const void *address, size_t length);

// Copy `length` bytes to persistent memory, past the caches where whole words
// are written (MOVNTI). Brackets for you: the rules for `first`, `offset` and
// `length` are those of kmap_local_range(). Durable after pmem_drain(). Any
// context.
void pmem_copy_to(struct page *first, size_t offset, const void *from,
                  size_t length);

// ------------------------------------------------------------------- Engines

// How brackets are enforced; chosen at boot by the word `protect=`.
enum protect_engine {
    PROTECT_PKS,   // protection keys for supervisor pages (SDM 3A 4.6.2)
    PROTECT_EXACT, // no direct map; page-table entries in a window
    PROTECT_OPEN,  // a direct map that is never closed, for comparison
    PROTECT_FLIP,  // a direct map whose leaves come and go, for comparison
};

// The engine of this boot. Any context. Cannot fail.
enum protect_engine protect_engine(void);

// -------------------------------------------------------- Faults and probes

// Why the CPU refused an access, from the exception and its error code (SDM 3A
// 4.7 for #PF, 6.15 for the others).
enum fault_kind {
    FAULT_NONE,
    FAULT_PKEY,          // #PF, PK bit: a closed key
    FAULT_NOT_PRESENT,   // #PF, P bit clear: nothing is mapped
    FAULT_WRITE_PROTECT, // #PF, a write to a read-only page
    FAULT_NO_EXECUTE,    // #PF, an instruction fetch from a data page
    FAULT_GP,            // #GP: a non-canonical address, a bad MSR value
    FAULT_OTHER,         // any other exception
};

// What was tried.
enum fault_access { ACCESS_READ, ACCESS_WRITE, ACCESS_EXECUTE };

// What the CPU refused, as probes return it.
struct fault {
    enum fault_kind kind;
    enum fault_access access;
    uintptr_t address;   // CR2; 0 after anything but #PF
    uintptr_t ip;        // RIP of the refused instruction
    uint32_t error_code; // as the CPU pushed it (SDM 3A 4.7 for #PF)
    int pkey;            // key of the leaf that maps address, -1 if none
    struct page *page;   // the frame behind address, NULL if none
    unsigned cpu;        // number of the CPU
};

// Copy `length` bytes from or to memory that may refuse, with the rights that
// the caller has. True: all was copied, and the kind in *fault is FAULT_NONE.
// False: refused; *fault says how; bytes before the refused one may have been
// copied, none after it. `fault` may be NULL. Any context.
bool probe_read(const void *address, void *to, size_t length,
                struct fault *fault);
bool probe_write(void *address, const void *from, size_t length,
                 struct fault *fault);

// Call fn(arg). True: it returned. False: it faulted or misused a call; it was
// abandoned there, its brackets are closed, and *fault (may be NULL) says what
// happened (a misuse is FAULT_OTHER). Any context.
bool run_protected(void (*fn)(void *arg), void *arg, struct fault *fault);

// ------------------------------------------------- Faults that go on, watches

// What becomes of a fault that nobody probes: STRICT reports it and ends the
// run; RELAXED reports it once for each place in the code, and the access goes
// through, as the boot word `fault=relaxed` has it. DEFAULT: see each call.
enum fault_mode { FAULT_MODE_DEFAULT, FAULT_MODE_STRICT, FAULT_MODE_RELAXED };

// The mode of faults on frames of a domain; DEFAULT is what the boot word
// `fault=` says. Relaxed, a thread that is refused by a key has the domain open
// from then on until it ends, and no other thread has; a handler, and a thread
// that is refused by a page-table entry, gets that one access. Where no leaf
// maps the address, and in the handler of an NMI, it is as strict. Any context.
// Cannot fail.
void domain_set_fault_mode(struct domain *domain, enum fault_mode mode);

// What a callback wants: what the mode says; STRICT or RELAXED, whatever the
// mode says; or the instruction once more, since the cause is gone.
enum fault_answer {
    FAULT_ANSWER_MODE,
    FAULT_ANSWER_STRICT,
    FAULT_ANSWER_RELAXED,
    FAULT_ANSWER_RETRY,
};

// What domain_set_fault_callback() takes: `fault` is what was refused, `arg`
// what was given there. Handler context.
typedef enum fault_answer fault_callback_fn(const struct fault *fault,
                                            void *arg);

// Have fn(fault, arg) called for each fault on frames of a domain that nobody
// probes and no run_protected() catches; NULL: nobody any more. fn runs in the
// handler of the fault, with every key closed, and may open brackets; a fault
// of its own is not given to it. On return no CPU is in an earlier fn's first
// instructions, but one may still run it. Thread context. 0, or -ENOMEM.
int domain_set_fault_callback(struct domain *domain, fault_callback_fn *fn,
                              void *arg);

// Watch a frame: from now on every access to it (ACCESS_READ), or every write
// (ACCESS_WRITE), is refused, by whatever mapping, but for those that the
// calling thread makes inside local brackets of its own on that frame. The
// report names who it was, and this call. `mode` says whether a refused access
// goes through all the same; DEFAULT is the mode of its domain. Other frames of
// the domain stay in use. In the release kernel for `open` alone, all accesses
// of the calling thread count as inside. Thread context. 0, or -EINVAL: the
// frame is not allocated, or another `access`; -EEXIST: it is watched or frozen
// already; -ENOSPC: 256 watches are there; -ENOMEM.
int watch_page(struct page *page, enum fault_access access,
               enum fault_mode mode);

// Stop that. Thread context. How many accesses were refused, probed ones too;
// -ENOENT: the frame is not watched.
int unwatch_page(struct page *page);

// Freeze `count` frames of one domain from `first` on: whoever writes to them
// before thaw_range(), from a bracket or not, is refused and named. Reading
// costs and needs what it did before. `mode` as above. Thread context. 0, or
// -EINVAL: no frames, or not all are allocated and of one domain; -EEXIST: one
// is watched or frozen already; -ENOSPC: 256 watches are there; -ENOMEM.
int freeze_range(struct page *first, size_t count, enum fault_mode mode);

// Stop that; the same `count` frames. Thread context. How many writes were
// refused; -ENOENT: no range that begins with this frame, and has so many, is
// frozen.
int thaw_range(struct page *first, size_t count);

// ------------------------------------------------------------------ Threads

// A thread; its members are the kernel's own.
struct thread;

// Make a thread that runs fn(arg), with every key closed, and let it run.
// `name` is copied (23 bytes are kept). Thread context. NULL: out of memory.
struct thread *thread_create(const char *name, int (*fn)(void *arg), void *arg);

// Wait until a thread has ended, free it, and return what its fn returned; in a
// test, -EFAULT if it ended by a fault or a misuse. Local brackets may be open.
// Thread context. Misuse: a thread that was joined, or that another waits for;
// oneself.
int thread_join(struct thread *thread);

// Let other threads that are ready run first. Local brackets may be open:
// nobody else gets their rights. Thread context.
void thread_yield(void);

// Wait for `ms` milliseconds at least, and let others run meanwhile. Local
// brackets may be open. Thread context.
void thread_sleep_ms(unsigned ms);

// Run the calling thread on the CPU with number `cpu` only, from 0. Thread
// context. 0, or -EINVAL: there is no such CPU.
int thread_pin(unsigned cpu);

// -------------------------------------------------------------------- CPUs

// The number of this CPU, from 0, and how many run. Any context. Cannot fail.
unsigned cpu_id(void);
unsigned cpus_online(void);

// Run fn(arg) on the CPU with the number `cpu`, in the handler of an interrupt
// that is sent to it, and wait until it has returned; the calling CPU is no
// exception. The handler starts with every key closed. Brackets may be open on
// either side. Thread and handler context; where interrupts are off, calls
// alone get through while it waits. Misuse: no such CPU; NMI context.
void cpu_call(unsigned cpu, void (*fn)(void *arg), void *arg);

// Run fn(arg) on the CPU with the number `cpu`, in the handler of a
// non-maskable interrupt (SDM 3A 6.7), whatever that CPU is doing, and wait
// until it has returned; the calling CPU is no exception. The handler starts
// with every key closed. Thread and handler context. Misuse: no such CPU; NMI
// context.
void cpu_nmi(unsigned cpu, void (*fn)(void *arg), void *arg);

// Call fn(arg), and at_each(at_arg) after every instruction of fn and of what
// it calls, the last return included (#DB by RFLAGS.TF, SDM 3B 17.3.1.4).
// at_each runs as a handler: every key closed, not stepped itself. Handlers
// that interrupt fn are not stepped through. After an instruction that holds
// #DB back (MOV SS, STI) it is called one instruction later. fn keeps RFLAGS.TF
// and RFLAGS.IF as they are. Thread and handler context. Misuse: NMI context.
void step_through(void (*fn)(void *arg), void *arg,
                  void (*at_each)(void *at_arg), void *at_arg);

// ------------------------------------------------------------------ Counters

// Counts of events, as sums over all CPUs since boot. IA32_PKRS is the register
// of rights (SDM 3A 4.6.2); INVLPG invalidates one page (SDM 3A 4.10.4.1).
struct map_stats {
    uint64_t brackets;            // local map calls
    uint64_t nested;              // of those, with another bracket open
    uint64_t pkrs_writes;         // IA32_PKRS written
    uint64_t pkrs_writes_skipped; // the value was there already
    uint64_t pte_writes;          // page-table entries written
    uint64_t invlpg;              // single pages invalidated
    uint64_t full_flushes;        // whole TLBs flushed
    uint64_t shootdown_ipis;      // IPIs sent to flush other CPUs
    uint64_t faults;              // refused accesses, probed or not
};

// Read the counters. Each number is exact; all of them together are not a
// snapshot. Any context. Cannot fail.
void map_stats_read(struct map_stats *stats);

// An operation whose brackets are counted: how often it ran, how many brackets
// its thread opened in all its runs, and at most in one. All are on a list; the
// shell's `brackets --top` and the boot word `trace=top` print it. Members are
// for reading.
struct map_operation {
    const char *name;
    uint64_t calls, brackets, most;
    struct map_operation *next; // NULL: the last
    bool listed;
};
extern struct map_operation *map_operations;

// Count the brackets that this thread opens from here to the end of the block,
// by whatever statement it is left, under the constant string `name`. A run
// that a fault abandons does not count. In the release kernel for `open` alone
// they are not counted. Stands among statements. Thread context.
#define MAP_OPERATION(name)                                                    \
    static struct map_operation map_operation_ = {                             \
        (name), 0, 0, 0, NULL, false};                                         \
    __attribute__((cleanup(                                                    \
        map_operation_end_))) struct map_operation_run map_operation_run_ =    \
        map_operation_begin_(&map_operation_);                                 \
    (void)map_operation_run_

// What MAP_OPERATION() stands on. Not to be used by name. Thread context.
struct map_operation_run {
    struct map_operation *operation;
    uint64_t brackets;
};
struct map_operation_run map_operation_begin_(struct map_operation *operation);
void map_operation_end_(struct map_operation_run *run);

// --------------------------------------- Applications, tests and benchmarks

// The application's entry point, which it may define. argv[0] is its name, the
// words behind `--` on the command line follow, and argv[argc] is NULL. It is
// called in thread context, once, unless the run is for tests or benchmarks.
// Returns the result of the run: 0 passed, anything else failed.
int app_main(int argc, char **argv);

// The boot word `seed=`, or a random number; printed when first asked for.
// Thread context. Cannot fail.
uint64_t test_seed(void);

// A test, named suite.name in the report. The body is an ordinary function
// body; it passes unless a check fails, it faults, misuses a call, or ends
// with a bracket open. Stands at file scope. The body runs in thread context.
#define TEST(suite, name)                                                      \
    static void test_##suite##_##name(void);                                   \
    __attribute__((used, section(".tests." #suite "." #name),                  \
                   aligned(8))) static const struct test_entry                 \
        test_entry_##suite##_##name = {#suite "." #name,                       \
                                       test_##suite##_##name};                 \
    static void test_##suite##_##name(void)

// A benchmark, named suite.name: one BENCH_LOOP in an ordinary function body.
// Stands at file scope. The body runs in thread context.
#define BENCH(suite, name)                                                     \
    static void bench_##suite##_##name(void);                                  \
    __attribute__((used, section(".benches." #suite "." #name),                \
                   aligned(8))) static const struct test_entry                 \
        bench_entry_##suite##_##name = {#suite "." #name,                      \
                                        bench_##suite##_##name};               \
    static void bench_##suite##_##name(void)

// The measured loop of a BENCH. Declares n, which counts from 0. What stands
// before and after the loop is not measured. In a benchmark: thread context.
#define BENCH_LOOP(n)                                                          \
    for (uint64_t n = 0, n##_end_ = bench_begin();                             \
         n < n##_end_ || bench_more(n, &n##_end_); n++)

// Fail the test, and return from this void function, unless `cond` holds. In a
// test or a void function that it calls: thread context, not in a handler.
#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            test_fail(__FILE__, __LINE__, "CHECK failed: %s", #cond);          \
            return;                                                            \
        }                                                                      \
    } while (0)

// Fail the test, and return from this void function, unless two integers or
// pointers are equal: first what there is, then what is wanted; both are
// printed. In a test or a void function that it calls: thread context, not in a
// handler.
#define CHECK_EQ(got, want)                                                    \
    do {                                                                       \
        uint64_t got_ = (uint64_t)(got), want_ = (uint64_t)(want);             \
        if (got_ != want_) {                                                   \
            test_fail_eq(__FILE__, __LINE__, got_, want_);                     \
            return;                                                            \
        }                                                                      \
    } while (0)

// Demand that `stmt` is refused: with this kind of fault (`enum fault_kind`)
// and this kind of access (`enum fault_access`). Otherwise the test fails, and
// this void function returns. `stmt` is abandoned at the access. In a test or a
// void function that it calls: thread context, not in a handler.
#define CHECK_FAULT(kind, access, stmt)                                        \
    CHECK_CAUGHT_(test_caught_fault(__FILE__, __LINE__, &catch_, (kind),       \
                                    (access), #stmt),                          \
                  false, stmt)

// Demand that `stmt`, which touches a closed frame, is refused: in the way of
// the engine that runs, with this kind of access. Under `open` it must go
// through. In a test or a void function that it calls: thread context, not in a
// handler.
#define CHECK_REFUSED(access, stmt)                                            \
    CHECK_CAUGHT_(                                                             \
        test_caught_refusal(__FILE__, __LINE__, &catch_, (access), #stmt),     \
        false, stmt)

// Demand that `stmt` is reported as a misuse of a call, in a handler that it
// runs too.
// In a test or a void function that it calls: thread context, not in a handler.
#define CHECK_MISUSE(stmt)                                                     \
    CHECK_CAUGHT_(test_caught_misuse(__FILE__, __LINE__, &catch_, #stmt),      \
                  true, stmt)

// Leave the test, and say why it cannot run here. In a test or a void function
// that it calls: thread context, not in a handler.
#define SKIP(why)                                                              \
    do {                                                                       \
        test_skip(why);                                                        \
        return;                                                                \
    } while (0)

// ---- What the macros above stand on. Not to be used by name.

struct test_entry {
    const char *name;
    void (*run)(void);
};

// A place to come back to when a statement faults. The layout is known to
// catch_enter() in assembly.
struct step;
struct catch_frame {
    uint64_t rbx, rbp, r12, r13, r14, r15, rsp, rip;
    uint64_t rflags;
    struct catch_frame *outer;
    struct bracket *bracket_top; // brackets open on entry end here
    struct step *step;           // step_through() that it lies in, or NULL
    uint64_t priority;           // of interrupts that got through on entry
    uint32_t rights;             // what the context could touch on entry
    uint32_t handler_level;      // 0 in a thread
    bool report;                 // print what is caught, whoever's fault it is
    bool handlers_too;           // also catch what a handler throws
    bool misuse;                 // caught a misuse, not a fault
    uint8_t locks;               // debug builds: that the CPU held on entry
    struct fault fault;          // what was caught
};

int catch_enter(struct catch_frame *frame) __attribute__((returns_twice));
void catch_leave(struct catch_frame *frame);

#define CHECK_CAUGHT_(verdict, handlers, stmt)                                 \
    do {                                                                       \
        struct catch_frame catch_;                                             \
        if (catch_enter(&catch_) == 0) {                                       \
            catch_.handlers_too = (handlers);                                  \
            stmt;                                                              \
            catch_leave(&catch_);                                              \
        }                                                                      \
        if (!(verdict)) {                                                      \
            return;                                                            \
        }                                                                      \
    } while (0)

void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void test_fail_eq(const char *file, int line, uint64_t got, uint64_t want);
bool test_caught_fault(const char *file, int line,
                       const struct catch_frame *caught, enum fault_kind kind,
                       enum fault_access access, const char *statement);
bool test_caught_refusal(const char *file, int line,
                         const struct catch_frame *caught,
                         enum fault_access access, const char *statement);
bool test_caught_misuse(const char *file, int line,
                        const struct catch_frame *caught,
                        const char *statement);
void test_skip(const char *why);
uint64_t bench_begin(void);
bool bench_more(uint64_t n, uint64_t *end);

// ---- The map and unmap calls in line. A bracket costs less than a call would
// add to it, and a report gets the line of the call as a constant. The
// functions of the same names are there too, for pointers to them.
//
// Each thread, and each handler, has a stack of slots; the CPU knows where the
// next bracket goes. `rights` in the slot before is what the context may do.
// The order of these instructions matters to a trap at any of them
// (docs/TRICKS.md, "The order of stores in a bracket").

// Offsets in the CPU's own data, from its GS base.
#define BRACKET_TOP_AT_ 8
#define BRACKETS_OPENED_AT_ 24

// Calls that each engine answers in its own way. They are compiled as calls of
// what PKS needs, and noted in a table; at boot another engine puts its own
// targets there, before text becomes read-only (mm/engine.h). `skip` is the
// label of a jump around the call, "." if there is none: it goes where every
// call is wanted.
#define ENGINE_CALL_MAP_ 0
#define ENGINE_CALL_MAP_RANGE_ 1
#define ENGINE_CALL_UNMAP_ 2
#define ENGINE_CALL_RIGHTS_ 3
#define ENGINE_CALL_TEXT_(number) #number
#define ENGINE_CALL_NUMBER_(kind) ENGINE_CALL_TEXT_(kind)
#define ENGINE_CALL_(label, target, kind, skip)                                \
    label ": call " target "\n\t"                                              \
          ".pushsection .engine_calls,\"a\"\n\t"                               \
          ".long " label "b - .\n\t"                                           \
          ".long " skip " - .\n\t"                                             \
          ".long " ENGINE_CALL_NUMBER_(kind) "\n\t"                            \
                                             ".popsection\n\t"

struct bracket {
    uint64_t address;    // what the map call returned
    uint32_t rights;     // IA32_PKRS while this bracket is the innermost
    uint32_t sequence;   // low bits of this CPU's count of brackets
    int32_t map_site;    // an address in the call (mm/misuse.h); 0: never used
    int32_t more_frames; // than one; negative: it is special (mm/bracket.h)
    int32_t unmap_site;  // of its last unmap
    uint32_t map_time;   // debug builds: TSC / 1024
    union {
        int64_t count;               // how often the slot was used
        struct bracket *interrupted; // in the sentinel of a handler
    };
    // Under engines with windows: where a bracket in this slot has its frames,
    // if they are few, and the page-table entries of that.
    uint64_t *window_entry;
    uint64_t window_address;
    // Where its frames are: the first one's address in the direct map, or, for
    // scattered frames, that of their page-table entries.
    uint64_t backing;
};

// By the number in a struct page: which bits of IA32_PKRS must be clear to read
// and write, or to read; and the bits to keep then. A domain without a key, and
// a frame without a domain, has nothing to keep.
struct domain_rights {
    uint32_t open;
    uint32_t keep;
};
extern struct domain_rights domain_write_[], domain_read_[];

static inline __attribute__((always_inline)) uintptr_t
bracket_page_(const struct page *page)
{
    return (uintptr_t)page;
}

static inline __attribute__((always_inline)) uintptr_t
bracket_pointer_(const void *address)
{
    return (uintptr_t)address;
}

// So that nobody is warned of a result that is not used.
static inline __attribute__((always_inline)) void *
bracket_to_write_(void *given)
{
    return given;
}

static inline __attribute__((always_inline)) const void *
bracket_to_read_(const void *given)
{
    return given;
}

#ifdef KEYHOLE_DEBUG
#define BRACKET_STAMP_                                                         \
    "rdtsc\n\t"                                                                \
    "shlq $32, %%rdx\n\t"                                                      \
    "orq %%rdx, %%rax\n\t"                                                     \
    "shrq $10, %%rax\n\t"                                                      \
    "movl %%eax, %c[time](%[slot])\n\t"
#else
#define BRACKET_STAMP_
#endif

// Where the call is, less the 2 GiB that kernel text is in: the line on which
// the macro is used. One store writes map_site and, in its upper half, that
// there are no more frames.
#define BRACKET_SITE_ "$1b+0x80000000"
#define BRACKET_SITE_ONE_(value) "movq " value ", %c[site](%[slot])\n\t"
#define BRACKET_SITE_MANY_(value)                                              \
    "movl " value ", %c[site](%[slot])\n\t"                                    \
    "movl %[more], %c[frames](%[slot])\n\t"

// Where rights change.
#define BRACKET_CALL_7_(kind) ENGINE_CALL_("7", "pks_write_bracket", kind, "9b")

// Open the frame `page`, or the frames of a range that begins with it, and give
// the address of byte `offset`. Cold, and known to be called from here: too
// many brackets, a domain without a key, a frame that is not allocated.
#define BRACKET_MAP_(kind, frame, offset_text, table, writable, fill_site,     \
                     value, ...)                                               \
    ({                                                                         \
        uintptr_t map_address_ = bracket_page_(frame);                         \
        struct bracket *map_slot_;                                             \
        __asm__ volatile(                                                      \
            "movq %%gs:%c[top], %[slot]\n\t"                                   \
            "incq %c[count](%[slot])\n\t"                                      \
            "1: js 8f\n\t" fill_site(                                          \
                value) "movzwl %c[domain](%[address]), %%ecx\n\t"              \
                       "shlq $8, %[address]\n\t" offset_text                   \
                       "movq %[address], (%[slot])\n\t"                        \
                       "movl %%gs:%c[opened], %%eax\n\t"                       \
                       "movl %%eax, %c[sequence](%[slot])\n\t"                 \
                       "incq %%gs:%c[opened]\n\t" BRACKET_STAMP_               \
                       "addq %[size], %%gs:%c[top]\n\t"                        \
                       "movl %c[rights]-%c[size](%[slot]), %%eax\n\t"          \
                       "testl %%eax, " #table "(,%%rcx,8)\n\t"                 \
                       "9: jz 2f\n\t"                                          \
                       "andl " #table "+4(,%%rcx,8), %%eax\n\t"                \
                       "jnz 7f\n"                                              \
                       "8: movq %[slot], %%rax\n\t"                            \
                       "movq %[address], %%rdx\n\t"                            \
                       "movl " value ", %%ecx\n\t"                             \
                       "orl $" #writable "<<31, %%ecx\n\t"                     \
                       "call bracket_map_cold\n\t"                             \
                       "movq %%rdx, %[address]\n\t"                            \
                       "jmp 2f\n" BRACKET_CALL_7_(                             \
                           kind) "2: movl %%eax, %c[rights](%[slot])"          \
            : [address] "+D"(map_address_), [slot] "=&S"(map_slot_)            \
            : [top] "i"(BRACKET_TOP_AT_), [opened] "i"(BRACKETS_OPENED_AT_),   \
              [size] "i"(sizeof(struct bracket)),                              \
              [count] "i"(offsetof(struct bracket, count)),                    \
              [site] "i"(offsetof(struct bracket, map_site)),                  \
              [frames] "i"(offsetof(struct bracket, more_frames)),             \
              [sequence] "i"(offsetof(struct bracket, sequence)),              \
              [time] "i"(offsetof(struct bracket, map_time)),                  \
              [rights] "i"(offsetof(struct bracket, rights)),                  \
              [domain] "i"(offsetof(struct page, private_domain)),             \
              ##__VA_ARGS__                                                    \
            : "rax", "rcx", "rdx", "cc", "memory");                            \
        (void *)map_address_;                                                  \
    })

#define BRACKET_UNMAP_(address_given, value, ...)                              \
    ({                                                                         \
        uintptr_t unmap_address_ = bracket_pointer_(address_given);            \
        struct bracket *unmap_slot_;                                           \
        __asm__ volatile(                                                      \
            "movq %%gs:%c[top], %[slot]\n\t"                                   \
            "1: cmpq %[address], -%c[size](%[slot])\n\t"                       \
            "jne 8f\n\t"                                                       \
            "movl %c[rights]-2*%c[size](%[slot]), %%eax\n\t"                   \
            "cmpl %%eax, %c[rights]-%c[size](%[slot])\n\t"                     \
            "9: je 2f\n\t"                                                     \
            "cmpl $0, %c[frames]-%c[size](%[slot])\n\t"                        \
            "jns 7f\n"                                                         \
            "8: movq %[address], %%rax\n\t"                                    \
            "movl " value ", %%ecx\n\t"                                        \
            "call bracket_unmap_cold\n\t"                                      \
            "jmp 3f\n" BRACKET_CALL_7_(                                        \
                ENGINE_CALL_UNMAP_) "2: movl " value                           \
                                    ", %c[site]-%c[size](%[slot])\n\t"         \
                                    "addq $-%c[size], %%gs:%c[top]\n"          \
                                    "3:"                                       \
            : [slot] "=&S"(unmap_slot_), [address] "+D"(unmap_address_)        \
            : [top] "i"(BRACKET_TOP_AT_), [size] "i"(sizeof(struct bracket)),  \
              [site] "i"(offsetof(struct bracket, unmap_site)),                \
              [frames] "i"(offsetof(struct bracket, more_frames)),             \
              [rights] "i"(offsetof(struct bracket, rights)), ##__VA_ARGS__    \
            : "rax", "rcx", "rdx", "cc", "memory");                            \
    })

#ifdef KEYHOLE_OPEN

// Where nothing is enforced and nothing kept account of, a bracket is an
// address in the direct map. All others are of kmap_local_pages().
#define BRACKET_OPEN_BASE_ 0xffff800000000000ul
#define BRACKET_OPEN_SIZE_ (1ul << 44)

static inline __attribute__((always_inline)) bool
bracket_is_open_(const void *address)
{
    return (uintptr_t)address - BRACKET_OPEN_BASE_ < BRACKET_OPEN_SIZE_;
}

static inline __attribute__((always_inline)) void *
bracket_open_(const struct page *page, size_t offset)
{
    void *address = (void *)(((uintptr_t)page << 8) + offset);
    if (!bracket_is_open_(address)) {
        __builtin_unreachable();
    }
    return address;
}

static inline __attribute__((always_inline)) void
bracket_close_(const void *address)
{
    if (__builtin_expect(!bracket_is_open_(address), 0)) {
        (kunmap_local)(address);
    }
}

#define kmap_local_page(page) bracket_open_(page, 0)
#define kmap_local_page_ro(page) bracket_to_read_(bracket_open_(page, 0))
#define kmap_local_range(first, offset, length)                                \
    bracket_to_write_(((void)(length), bracket_open_(first, offset)))
#define kmap_local_range_ro(first, offset, length)                             \
    bracket_to_read_(((void)(length), bracket_open_(first, offset)))
#define kunmap_local(address) bracket_close_(address)

#else

#define kmap_local_page(page)                                                  \
    BRACKET_MAP_(ENGINE_CALL_MAP_, page, "", domain_write_, 1,                 \
                 BRACKET_SITE_ONE_, BRACKET_SITE_)
#define kmap_local_page_ro(page)                                               \
    bracket_to_read_(BRACKET_MAP_(ENGINE_CALL_MAP_, page, "", domain_read_, 0, \
                                  BRACKET_SITE_ONE_, BRACKET_SITE_))
#define kunmap_local(address) BRACKET_UNMAP_(address, BRACKET_SITE_)

// A range is in line too, if `first` turns out to begin a block that is large
// enough, where the compiler knows that it starts there or all about its place.
// The sizes of blocks bound what is computed.
#define RANGE_ORDER_(bytes)                                                    \
    ((bytes) <= PAGE_SIZE ? 0 : 64 - __builtin_clzl(((bytes)-1) >> 12))
#define RANGE_FRAMES_(offset, length)                                          \
    (((offset) % PAGE_SIZE + (length) + PAGE_SIZE - 1) / PAGE_SIZE)
#define RANGE_IS_KNOWN_(offset, length)                                        \
    (__builtin_constant_p(offset) && __builtin_constant_p(length))
#define RANGE_IS_FROM_0_(offset)                                               \
    (__builtin_constant_p(offset) ? (offset) == 0 : 0)

static inline __attribute__((always_inline)) bool
range_fits_(const struct page *first, size_t offset, size_t length)
{
    return length != 0 && offset < 1ul << 22 && length <= 1ul << 22 &&
           first->private_order >= RANGE_ORDER_(offset + length) &&
           (first->private_state & 1);
}

// The number of the last frame; length 0 gives one that fits nowhere.
static inline __attribute__((always_inline)) bool
range_fits_from_0_(const struct page *first, size_t last)
{
    return last >> first->private_order == 0 && (first->private_state & 1);
}

#define RANGE_MAP_KNOWN_(call, first, at, bytes, table, writable)              \
    ({                                                                         \
        struct page *range_first_ = (first);                                   \
        range_fits_(range_first_, at, bytes)                                   \
            ? BRACKET_MAP_(                                                    \
                  ENGINE_CALL_MAP_RANGE_, range_first_ + (at) / PAGE_SIZE,     \
                  "addq %[offset], %[address]\n\t", table, writable,           \
                  BRACKET_SITE_MANY_,                                          \
                  BRACKET_SITE_, [offset] "i"((at) % PAGE_SIZE),               \
                  [more] "i"((int)(RANGE_FRAMES_(at, bytes) - 1) & 0xfff))     \
            : (void *)(call)(range_first_, at, bytes);                         \
    })

#define RANGE_MAP_FROM_0_(call, first, bytes, table, writable)                 \
    ({                                                                         \
        struct page *range_first_ = (first);                                   \
        size_t range_length_ = (bytes);                                        \
        size_t range_last_ = (range_length_ - 1) / PAGE_SIZE;                  \
        range_fits_from_0_(range_first_, range_last_)                          \
            ? BRACKET_MAP_(ENGINE_CALL_MAP_RANGE_, range_first_, "", table,    \
                           writable, BRACKET_SITE_MANY_,                       \
                           BRACKET_SITE_, [more] "r"((int)range_last_))        \
            : (void *)(call)(range_first_, 0, range_length_);                  \
    })

#define RANGE_MAP_(call, first, at, bytes, table, writable)                    \
    __builtin_choose_expr(                                                     \
        RANGE_IS_KNOWN_(at, bytes),                                            \
        RANGE_MAP_KNOWN_(call, first, at, bytes, table, writable),             \
        __builtin_choose_expr(                                                 \
            RANGE_IS_FROM_0_(at),                                              \
            RANGE_MAP_FROM_0_(call, first, bytes, table, writable),            \
            (call)(first, at, bytes)))

#define kmap_local_range(first, offset, length)                                \
    bracket_to_write_(                                                         \
        RANGE_MAP_(kmap_local_range, first, offset, length, domain_write_, 1))
#define kmap_local_range_ro(first, offset, length)                             \
    bracket_to_read_(RANGE_MAP_(kmap_local_range_ro, first, offset, length,    \
                                domain_read_, 0))

#endif
