/* little.h: integers and addresses as the wire has them, little-endian, at any alignment. */
#ifndef TRANSPORT_WIRE_LITTLE_H
#define TRANSPORT_WIRE_LITTLE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include <thespis/addr.h>

#define THI_LITTLE_ADDR_SIZE 16 /* system u64, slot u32, generation u32 */

static inline uint32_t thi_little_read32(const void *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return le32toh(value);
}

static inline uint64_t thi_little_read64(const void *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return le64toh(value);
}

static inline void thi_little_write32(void *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof(value));
}

static inline void thi_little_write64(void *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof(value));
}

static inline th_addr thi_little_read_addr(const void *at)
{
    th_addr addr;

    addr.system = thi_little_read64(at);
    addr.slot = thi_little_read32((const char *)at + 8);
    addr.generation = thi_little_read32((const char *)at + 12);
    return addr;
}

static inline void thi_little_write_addr(void *at, th_addr addr)
{
    thi_little_write64(at, addr.system);
    thi_little_write32((char *)at + 8, addr.slot);
    thi_little_write32((char *)at + 12, addr.generation);
}

#endif
