package sources

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain plays fewer random histories than rapid would by itself: each waits
// for real files. -rapid.checks overrides it.
func TestMain(m *testing.M) {
	if path := os.Getenv(bareTailEnv); path != "" {
		if err := bareTail(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if err := flag.Set("rapid.checks", "200"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	goleak.VerifyTestMain(m)
}
