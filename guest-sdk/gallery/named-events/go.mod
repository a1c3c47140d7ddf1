module refiner.internal/gallery/named-events

go 1.25

require (
	github.com/ethereum/go-ethereum v1.17.0
	refiner.internal/sdk v0.0.0
)

replace refiner.internal/sdk => ../../go
