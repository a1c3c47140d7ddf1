#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include "rows.h"

static void gas_of_one_contract_is_summed(void) {
  refiner_address_t token = {0, 0, 0xaa};
  cost_t costs[] = {{token, 1, 30000}, {{0, 0, 0x01}, 1, 50000}, {token, 1, 21000}};
  assert(join_costs(costs, 3) == 2);
  assert(costs[0].contract.w2 == 0x01);
  assert(costs[1].calls == 2 && costs[1].gas_used == 51000);
}

int main(void) {
  gas_of_one_contract_is_summed();
  puts("1 test passed");
}
