package main

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"bartizan/config"
	"bartizan/themes"
	"bartizan/ui"
)

// checkNames complains of names that only the console knows: themes and commands
// that keys are given to.
func checkNames(c *config.Config) error {
	var bad []error
	if c.UI.Theme != "" && !slices.Contains(themes.Names(), c.UI.Theme) {
		bad = append(bad, c.Complain("ui.theme", "there is no theme %q; choose one of %s", c.UI.Theme, strings.Join(themes.Names(), ", ")))
	}
	known := ui.Commands()
	for _, name := range slices.Sorted(maps.Keys(c.Keys)) {
		if !slices.Contains(known, name) {
			bad = append(bad, c.Complain("keys."+name, "there is no command %q to give keys to; docs/keys.md lists them", name))
		}
	}
	if err := errors.Join(bad...); err != nil {
		return exitError{exitUsage, err}
	}
	return nil
}
