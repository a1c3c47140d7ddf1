// Package common has the two types that events are made of.
package common

// Address is an account's.
type Address [20]byte

// Hash is a keccak256.
type Hash [32]byte
