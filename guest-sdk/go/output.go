package sdk

import (
	"refiner.internal/sdk/internal/bindings/refiner_rule_log"
	"refiner.internal/sdk/internal/host"
	"refiner.internal/sdk/internal/wit/types"
)

// Output opens artifacts.
type Output struct{}

// Artifact is one file of the output, among those that rule.toml lists. It is kept once it is finished, where the rule returns no error.
type Artifact struct {
	host     host.Artifact
	gathered []byte
}

// gatherBytes is how much is gathered before it is handed to the host: a call costs as much as 200 bytes.
const gatherBytes = 64 << 10

// Artifact opens an artifact without a schema.
func (*Output) Artifact(name, mediaType string) *Artifact {
	return &Artifact{host: host.OpenArtifact(name, mediaType, types.None[string]())}
}

// ArtifactWithSchema opens an artifact whose bytes a schema describes.
func (*Output) ArtifactWithSchema(name, mediaType, schema string) *Artifact {
	return &Artifact{host: host.OpenArtifact(name, mediaType, types.Some(schema))}
}

// Write appends bytes. It never fails: output beyond the granted size ends the run.
func (a *Artifact) Write(chunk []byte) (int, error) {
	a.gathered = append(a.gathered, chunk...)
	if len(a.gathered) >= gatherBytes {
		a.flush()
	}
	return len(chunk), nil
}

func (a *Artifact) flush() {
	if len(a.gathered) > 0 {
		a.host.Write(a.gathered)
		a.gathered = a.gathered[:0]
	}
}

// Finish closes the artifact and makes it part of the output. Nothing is written after it.
func (a *Artifact) Finish() {
	a.flush()
	a.host.Finish()
	a.host.Drop()
}

// Debug, Info, Warn and Error write a message to the log, which is bounded and no part of the output.
func Debug(message string) { host.Log(refiner_rule_log.LevelDebug, message) }

// Info writes a message to the log.
func Info(message string) { host.Log(refiner_rule_log.LevelInfo, message) }

// Warn writes a message to the log.
func Warn(message string) { host.Log(refiner_rule_log.LevelWarn, message) }

// Error writes a message to the log.
func Error(message string) { host.Log(refiner_rule_log.LevelError, message) }

// Param returns a parameter that the operator gave the rule, and whether there is one.
func Param(name string) (string, bool) { return host.Taken(host.Param(name)).Get() }
