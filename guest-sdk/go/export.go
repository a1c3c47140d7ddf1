//go:build !wasip1

package sdk

// Export makes a function the rule of this program. In a native test it does nothing: package sdktest calls the function itself.
func Export(Refine) {}
