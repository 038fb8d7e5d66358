package sources

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestSecondLineGoesByShape: the short way to tell that a line can be no second one
// says what its shape does.
func TestSecondLineGoesByShape(t *testing.T) {
	pieces := []string{
		"", "a", "java.lang.", "IllegalState", "Exception", "Error", "Failure", "Throwable", ":", ": no", " ", "\t", "\r", "(", "main.main()",
		"goroutine 1 [running]:", "Caused by: ", "[signal ", "#0 ", "-", "--- End of ", "... ", "Nov 21 08:00:00 ", strings.Repeat("x", maxShape-5), "{", "\xff",
	}
	rapid.Check(t, func(t *rapid.T) {
		line := []byte(strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 5).Draw(t, "pieces"), ""))
		s := shapeOf(line)
		want := s == shapeIndented || s == shapeBlank || s == shapePart || s == shapeException
		if got := secondLine(line); got != want {
			t.Fatalf("%q has shape %d, may follow: %v", line, s, got)
		}
	})
}
