// A rule that does nothing: what Go's runtime costs.
package main

import "refiner.internal/sdk"

func main() {}

func init() {
	sdk.Export(func(*sdk.Specimen, *sdk.Output) (uint64, error) { return 0, nil })
}
