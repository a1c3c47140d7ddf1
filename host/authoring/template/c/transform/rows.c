#include "rows.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *one, const void *other) {
  const call_t *a = one, *b = other;
  int order = refiner_compare_addresses(a->contract, b->contract);
  if (order == 0) order = memcmp(a->method, b->method, a->method_len < b->method_len ? a->method_len : b->method_len);
  return order != 0 ? order : refiner_compare_words(a->method_len, b->method_len);
}

size_t join_calls(call_t *calls, size_t count) {
  qsort(calls, count, sizeof *calls, compare);
  size_t left = 0;
  for (size_t i = 0; i < count; i++) {
    if (left > 0 && compare(&calls[left - 1], &calls[i]) == 0) {
      calls[left - 1].calls += calls[i].calls;
    } else {
      calls[left++] = calls[i];
    }
  }
  return left;
}
