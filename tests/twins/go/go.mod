module refiner.internal/twins

go 1.25

require refiner.internal/sdk v0.0.0

replace refiner.internal/sdk => ../../../guest-sdk/go
