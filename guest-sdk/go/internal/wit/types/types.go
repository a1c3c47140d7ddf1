// Package types holds the generic types of the contract.
package types

// Option is a value that may be absent.
type Option[T any] struct {
	present bool
	value   T
}

// Tags of an Option.
const (
	OptionNone = uint8(iota)
	OptionSome
)

// None is an absent value.
func None[T any]() Option[T] { return Option[T]{} }

// Some is a present value.
func Some[T any](value T) Option[T] { return Option[T]{true, value} }

// Get returns the value and whether it is present.
func (o Option[T]) Get() (T, bool) { return o.value, o.present }

// IsSome tells whether the value is present.
func (o Option[T]) IsSome() bool { return o.present }

// Tag returns OptionNone or OptionSome.
func (o Option[T]) Tag() uint8 {
	if o.present {
		return OptionSome
	}
	return OptionNone
}

// Some returns the value, and panics where it is absent.
func (o Option[T]) Some() T {
	if !o.present {
		panic("the value is absent")
	}
	return o.value
}

// Result is a value or an error.
type Result[T, E any] struct {
	failed bool
	value  T
	err    E
}

// Tags of a Result.
const (
	ResultOk = uint8(iota)
	ResultErr
)

// Ok is a success.
func Ok[T, E any](value T) Result[T, E] { return Result[T, E]{value: value} }

// Err is a failure.
func Err[T, E any](err E) Result[T, E] { return Result[T, E]{failed: true, err: err} }

// Tag returns ResultOk or ResultErr.
func (r Result[T, E]) Tag() uint8 {
	if r.failed {
		return ResultErr
	}
	return ResultOk
}

// Ok returns the value of a success.
func (r Result[T, E]) Ok() T { return r.value }

// Err returns the error of a failure.
func (r Result[T, E]) Err() E { return r.err }
