// One line a sender: how many transactions it sent in the block, and how much value with them.
package main

import (
	"fmt"
	"maps"
	"runtime/debug"
	"slices"

	"refiner.internal/sdk"
)

type total struct {
	sent  uint64
	value sdk.U256
}

func main() {}

func init() { sdk.Export(refine) }

func refine(specimen *sdk.Specimen, out *sdk.Output) (uint64, error) {
	// With `gc=1` the collector runs all the time, as far as bytes decide when it runs.
	if _, often := sdk.Param("gc"); often {
		debug.SetGCPercent(1)
	}
	totals := map[sdk.Address]total{}
	for _, transaction := range specimen.Transactions() {
		sum := totals[transaction.Sender]
		value, overflow := sum.value.Add(transaction.Value)
		if overflow {
			return 0, sdk.Rejected("the sum of a sender's values has more than 256 bits")
		}
		totals[transaction.Sender] = total{sum.sent + 1, value}
	}
	lines := out.Artifact("by-sender.ndjson", sdk.MediaTypeJSON)
	for _, sender := range slices.SortedFunc(maps.Keys(totals), sdk.Address.Compare) {
		sum := totals[sender]
		fmt.Fprintf(lines, "{\"sender\":\"%s\",\"transactions\":%d,\"value\":\"%s\"}\n", sender, sum.sent, sum.value)
	}
	lines.Finish()
	return uint64(len(totals)), nil
}
