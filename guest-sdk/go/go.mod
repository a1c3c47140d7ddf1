module refiner.internal/sdk

go 1.25
