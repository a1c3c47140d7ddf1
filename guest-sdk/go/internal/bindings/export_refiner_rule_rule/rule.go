// Package export_refiner_rule_rule is what the generated exports call.
package export_refiner_rule_rule

import (
	"refiner.internal/sdk/internal/bindings/refiner_rule_rule"
	"refiner.internal/sdk/internal/bindings/refiner_rule_specimen"
	"refiner.internal/sdk/internal/bindings/refiner_rule_types"
	"refiner.internal/sdk/internal/wit/types"
)

// Result is how a run ends.
type Result = types.Result[refiner_rule_rule.Summary, refiner_rule_types.RuleError]

// Describe and Refine are set by the SDK.
var (
	Describe func() refiner_rule_rule.Description
	Refine   func(*refiner_rule_specimen.BlockSpecimen) Result
)
