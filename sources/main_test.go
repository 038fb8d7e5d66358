package sources

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain plays 200 histories, the same each time, so that a change is judged by
// itself; make fuzz plays thousands of others with -rapid.checks and -rapid.seed.
func TestMain(m *testing.M) {
	if path := os.Getenv(bareTailEnv); path != "" {
		if err := bareTail(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	for name, value := range map[string]string{"rapid.checks": "200", "rapid.seed": "2"} {
		if err := flag.Set(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	goleak.VerifyTestMain(m)
}
