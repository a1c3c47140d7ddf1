#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include "rows.h"

static void calls_of_one_method_are_one_row(void) {
  refiner_address_t token = {0, 0, 0xaa};
  call_t calls[] = {
      {token, {0xa9, 0x05, 0x9c, 0xbb}, 4, 1},
      {token, {0}, 0, 1},
      {token, {0xa9, 0x05, 0x9c, 0xbb}, 4, 1},
      {{0, 0, 0x01}, {0}, 0, 1},
  };
  assert(join_calls(calls, 4) == 3);
  assert(calls[0].contract.w2 == 0x01);
  assert(calls[1].method_len == 0 && calls[1].calls == 1);
  assert(calls[2].method_len == 4 && calls[2].calls == 2);
}

int main(void) {
  calls_of_one_method_are_one_row();
  puts("1 test passed");
}
