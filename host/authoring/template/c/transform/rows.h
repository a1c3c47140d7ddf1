// The rows of a block, from plain values: tests run this without a host.
#include "refiner.h"

// The first bytes of a call's input, which select its method.
#define SELECTOR_BYTES 4

typedef struct {
  refiner_address_t contract;
  uint8_t method[SELECTOR_BYTES];
  size_t method_len;
  uint64_t calls;
} call_t;

// Sorts calls by contract and method, and joins those that are equal in both. Returns how many are left.
size_t join_calls(call_t *calls, size_t count);
