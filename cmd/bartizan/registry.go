package main

import (
	"bartizan/config"
	"bartizan/enrich"
	"bartizan/sources/parse"
)

// registry knows the built-in formats and those of the config.
func (a *app) registry() (*parse.Registry, error) {
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	reg, _, err := registryOf(c)
	return reg, err
}

// registryOf is registry for a config that was read; its events know more than their
// records say.
func registryOf(c *config.Config) (*parse.Registry, *enrich.Enricher, error) {
	more, err := enrich.New(c.EnrichOptions())
	if err != nil {
		return nil, nil, exitError{exitUsage, err}
	}
	o := c.ParseOptions()
	o.More = more
	return parse.NewRegistry(o), more, nil
}
