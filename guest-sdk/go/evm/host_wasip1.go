package evm

import (
	"refiner.internal/sdk/internal/bindings/refiner_rule_evm"
	"refiner.internal/sdk/internal/bindings/refiner_rule_specimen"
	"refiner.internal/sdk/internal/host"
)

func init() {
	host.Execute = func(specimen host.Specimen, format string) (host.Execution, *refiner_rule_evm.ExecuteError) {
		answer := host.Taken(refiner_rule_evm.Execute(specimen.(*refiner_rule_specimen.BlockSpecimen), format))
		if answer.Tag() != 0 {
			refused := answer.Err()
			return nil, &refused
		}
		return answer.Ok(), nil
	}
}
