package sdk

import (
	"encoding/hex"
	"strings"

	exports "refiner.internal/sdk/internal/bindings/export_refiner_rule_rule"
	"refiner.internal/sdk/internal/bindings/refiner_rule_log"
	"refiner.internal/sdk/internal/bindings/refiner_rule_output"
	"refiner.internal/sdk/internal/bindings/refiner_rule_params"
	"refiner.internal/sdk/internal/bindings/refiner_rule_rule"
	"refiner.internal/sdk/internal/bindings/refiner_rule_specimen"
	_ "refiner.internal/sdk/internal/bindings/wit_exports"
	"refiner.internal/sdk/internal/host"
	"refiner.internal/sdk/internal/surroundings"
	"refiner.internal/sdk/internal/wit/types"
)

// description is what rule.toml states, as `refiner rule build` sets it: hexadecimal digits of lines. They are name, version, layouts
// with commas between them, and one line an output: its name, media type and schema with tabs between them.
var description string

func init() {
	host.OpenArtifact = func(name, mediaType string, schema types.Option[string]) host.Artifact {
		return refiner_rule_output.MakeArtifact(name, mediaType, schema)
	}
	host.Log = func(level uint8, message string) { refiner_rule_log.Write(level, message) }
	host.Param = refiner_rule_params.Get
	exports.Describe = describe
}

// Export makes a function the rule of this program. It is called once, from an init function.
func Export(refine Refine) {
	exports.Refine = func(borrowed *refiner_rule_specimen.BlockSpecimen) exports.Result {
		defer borrowed.Drop()
		specimen := &Specimen{borrowed}
		surroundings.Begin(func() uint64 { return specimen.Header().Timestamp })
		records, err := refine(specimen, &Output{})
		if err != nil {
			return types.Err[refiner_rule_rule.Summary](ruleError(err))
		}
		return types.Ok[refiner_rule_rule.Summary, refiner_rule_rule.RuleError](refiner_rule_rule.Summary{Records: records})
	}
}

func describe() refiner_rule_rule.Description {
	text, _ := hex.DecodeString(description)
	lines := strings.Split(string(text), "\n")
	if len(lines) < 3 {
		panic("this program has no description: build it with `refiner rule build`")
	}
	described := refiner_rule_rule.Description{Name: lines[0], Version: lines[1]}
	if lines[2] != "" {
		described.Layouts = strings.Split(lines[2], ",")
	}
	for _, line := range lines[3:] {
		parts := strings.Split(line, "\t")
		output := refiner_rule_rule.OutputDescription{Name: parts[0], MediaType: parts[1]}
		if len(parts) > 2 {
			output.Schema = types.Some(parts[2])
		}
		described.Outputs = append(described.Outputs, output)
	}
	return described
}
