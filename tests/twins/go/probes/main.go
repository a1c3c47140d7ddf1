// What Go programs do besides reading and writing, one at a time: the parameter `probe` names it.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"refiner.internal/sdk"
)

func main() {}

func init() { sdk.Export(refine) }

func refine(*sdk.Specimen, *sdk.Output) (uint64, error) {
	name, _ := sdk.Param("probe")
	probe, found := probes[name]
	if !found {
		return 0, errors.New("no probe of this name: " + name)
	}
	return probe(), nil
}

var probes = map[string]func() uint64{
	"panic":       func() uint64 { panic("the rule's own words") },
	"nil":         func() uint64 { return uint64(*nowhere) },
	"index":       func() uint64 { return uint64(empty[len(empty)]) },
	"deadlock":    func() uint64 { return <-make(chan uint64) },
	"sleep":       sleep,
	"exit":        func() uint64 { os.Exit(3); return 0 },
	"memory":      memory,
	"loop":        loop,
	"recursion":   func() uint64 { return recurse(1 << 30) },
	"maps":        maps,
	"goroutines":  goroutines,
	"time":        func() uint64 { return uint64(time.Now().Unix()) },
	"environment": environment,
	"files":       files,
	"sockets":     sockets,
	"prints":      prints,
}

var (
	nowhere *int
	empty   []byte
	held    [][]byte
)

// sleep returns the nanoseconds that an hour's sleep took.
func sleep() uint64 {
	began := time.Now()
	time.Sleep(time.Hour)
	return uint64(time.Since(began))
}

func memory() uint64 {
	for {
		held = append(held, make([]byte, 1<<20))
	}
}

func loop() uint64 {
	count := uint64(0)
	for {
		count++
		if count == 0 {
			return count
		}
	}
}

//go:noinline
func recurse(depth uint64) uint64 {
	if depth == 0 {
		return 0
	}
	return recurse(depth-1) + depth
}

// maps logs the keys of a map in the order in which it gives them.
func maps() uint64 {
	keys := map[string]bool{"a": true, "b": true, "c": true, "d": true, "e": true, "f": true, "g": true, "h": true}
	order := ""
	for key := range keys {
		order += key
	}
	sdk.Info(order)
	return uint64(len(order))
}

// goroutines returns the sum of what 100 goroutines send.
func goroutines() uint64 {
	sums, done := make(chan uint64), sync.WaitGroup{}
	for number := range uint64(100) {
		done.Go(func() { sums <- number })
	}
	go func() { done.Wait(); close(sums) }()
	sum := uint64(0)
	for number := range sums {
		sum += number
	}
	return sum
}

// environment returns how many arguments and variables there are.
func environment() uint64 {
	for _, variable := range os.Environ() {
		sdk.Info(variable)
	}
	return uint64(len(os.Args) + len(os.Environ()))
}

func files() uint64 {
	_, err := os.ReadFile("/etc/hostname")
	sdk.Info(fmt.Sprint(err))
	sdk.Info(fmt.Sprint(os.WriteFile("out.txt", nil, 0o600)))
	return 0
}

func sockets() uint64 {
	_, err := net.Dial("tcp", "127.0.0.1:80")
	sdk.Info(fmt.Sprint(err))
	_, err = net.Listen("tcp", "127.0.0.1:0")
	sdk.Info(fmt.Sprint(err))
	return 0
}

// prints writes text in pieces, bytes that are no text, and a line that no end follows.
func prints() uint64 {
	fmt.Print("one ")
	fmt.Print("line\n\n")
	fmt.Fprintln(os.Stderr, "h\xc3\xa9 \xff \xed\xa0\x80")
	fmt.Print("unfinished")
	return 0
}
