#include "rows.h"

#include <stdlib.h>

static int compare(const void *one, const void *other) {
  const cost_t *a = one, *b = other;
  return refiner_compare_addresses(a->contract, b->contract);
}

size_t join_costs(cost_t *costs, size_t count) {
  qsort(costs, count, sizeof *costs, compare);
  size_t left = 0;
  for (size_t i = 0; i < count; i++) {
    if (left > 0 && compare(&costs[left - 1], &costs[i]) == 0) {
      costs[left - 1].calls += costs[i].calls;
      costs[left - 1].gas_used += costs[i].gas_used;
    } else {
      costs[left++] = costs[i];
    }
  }
  return left;
}
