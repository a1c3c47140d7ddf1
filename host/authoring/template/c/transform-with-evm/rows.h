// The rows of a block, from plain values: tests run this without a host.
#include "refiner.h"

typedef struct {
  refiner_address_t contract;
  uint64_t calls, gas_used;
} cost_t;

// Sorts costs by contract, and sums those of one contract up. Returns how many are left.
size_t join_costs(cost_t *costs, size_t count);
