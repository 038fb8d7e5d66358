package main

import "bartizan/sources/parse"

// registry knows the built-in formats and those of the config.
func (a *app) registry() (*parse.Registry, error) {
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	return parse.NewRegistry(c.ParseOptions()), nil
}
