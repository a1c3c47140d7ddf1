// Package sdk is for rules that are written in Go. A rule reads one block specimen and writes artifacts:
//
//	func main() {}
//
//	func init() { sdk.Export(refine) }
//
//	func refine(specimen *sdk.Specimen, out *sdk.Output) (records uint64, err error) { ... }
//
// `refiner rule build` compiles it to a component and takes its name, version, layouts and outputs from rule.toml. Package evm
// executes the block, package sdktest runs a rule in an ordinary test.
package sdk

import (
	"errors"

	"refiner.internal/sdk/internal/bindings/refiner_rule_types"
)

// Refine works on one specimen and returns the number of records that its artifacts hold. Each run has an instance of its own, so
// nothing is left of the run before.
type Refine func(specimen *Specimen, out *Output) (records uint64, err error)

// Values that every interface shares. A Hash also is a storage key or value.
type (
	Address = refiner_rule_types.Address
	Hash    = refiner_rule_types.B256
	U256    = refiner_rule_types.U256
	Check   = refiner_rule_types.Check
)

// Kinds of reasons for which a rule has no result. The host decides by the kind what it does next.
const (
	kindRejected = iota
	kindUnsupported
	kindUnavailable
)

type reason struct {
	kind int
	text string
}

func (r *reason) Error() string { return r.text }

// Rejected is the error of a rule that looked at the specimen and finds it wrong. It is never retried. Errors of other packages
// count as this kind.
func Rejected(text string) error { return &reason{kindRejected, text} }

// Unsupported is the error of a rule that cannot handle this layout, fork or chain. It is never retried.
func Unsupported(text string) error { return &reason{kindUnsupported, text} }

// Unavailable is the error of a rule that lacked something outside the specimen for now. The host tries again later.
func Unavailable(text string) error { return &reason{kindUnavailable, text} }

// noText stands where an error has no text.
const noText = "no reason given"

// ruleError is the error as the contract has it.
func ruleError(err error) refiner_rule_types.RuleError {
	text, kind := err.Error(), kindRejected
	if text == "" {
		text = noText
	}
	var found *reason
	if errors.As(err, &found) {
		kind = found.kind
	}
	switch kind {
	case kindUnsupported:
		return refiner_rule_types.MakeRuleErrorUnsupported(text)
	case kindUnavailable:
		return refiner_rule_types.MakeRuleErrorCapabilityUnavailable(text)
	}
	return refiner_rule_types.MakeRuleErrorRejected(text)
}
