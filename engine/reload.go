package engine

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"bartizan/detect"
)

// Reload is what reading the rules again did.
type Reload struct {
	At      time.Time
	Why     string      // who asked, or what changed
	Diff    RuleChanges // between the rules in use before and after
	Problem string      // why nothing was taken; the old rules stay
}

// String says it in one line: "3 added, 1 changed, 1 broken, old version kept".
func (r Reload) String() string {
	if r.Problem != "" {
		return "the old rules stay: " + r.Problem
	}
	return r.Diff.String()
}

// Lines are what changed, one rule each: what happened to it, and where it stands.
func (r Reload) Lines() []string {
	var out []string
	for _, p := range []struct {
		word string
		list []*detect.Rule
	}{{"added", r.Diff.Added}, {"changed", r.Diff.Changed}, {"removed", r.Diff.Removed}} {
		for _, x := range p.list {
			out = append(out, fmt.Sprintf("%s: %s (%s:%d)", p.word, x.Title, x.File, x.Line))
		}
	}
	for _, b := range r.Diff.Broken {
		out = append(out, "broken: "+b.Error())
	}
	if len(out) > maxReloadLines {
		out = append(out[:maxReloadLines], fmt.Sprintf("and %d more", len(out)-maxReloadLines))
	}
	return out
}

// maxReloadLines bounds how many changes are told one by one.
const maxReloadLines = 200

// reloads are the reloads of one engine, one at a time.
type reloads struct {
	mu   sync.Mutex // held while rules are read
	lock sync.Mutex
	last Reload
}

// LastReload is the newest one; its time is zero before the first.
func (e *Engine) LastReload() Reload {
	e.reloads.lock.Lock()
	defer e.reloads.lock.Unlock()
	return e.reloads.last
}

// Reload reads the rules again, checks them and swaps them in between two batches.
// A file that is broken now keeps its old version; what correlations have counted
// for rules that did not change stays. It blocks on the files. why says who asks.
func (e *Engine) Reload(why string) Reload {
	e.reloads.mu.Lock()
	defer e.reloads.mu.Unlock()
	r := e.reload(why)
	if why == fileChanged && r.Problem == "" && !r.Diff.Any() {
		return r // what was read by hand before is seen by the watch as well
	}
	e.reloads.lock.Lock()
	e.reloads.last = r
	e.reloads.lock.Unlock()
	if r.Problem != "" {
		e.o.Log.Error("reload: "+r.String(), "why", why)
	} else {
		e.o.Log.Info("reloaded the rules: "+r.String(), "why", why, "rules", len(e.rules.Load().set.Rules()))
	}
	for _, b := range r.Diff.Broken {
		e.o.Log.Warn("rule refused", "reason", b.Error())
	}
	e.watch.poke()
	if e.o.Reloaded != nil && (r.Problem != "" || r.Diff.Any()) {
		e.o.Reloaded(r)
	}
	return r
}

func (e *Engine) reload(why string) Reload {
	r := Reload{At: e.o.Now().UTC(), Why: why}
	if e.o.LoadRules == nil {
		r.Problem = "this engine was given its rules and knows no files to read again"
		return r
	}
	f, err := e.o.LoadRules()
	if err != nil {
		r.Problem = strings.ReplaceAll(err.Error(), "\n", "; ")
		return r
	}
	old := e.rules.Load()
	var kept []detect.Kept
	f.Loaded, kept = detect.KeepBroken(old.files.Loaded, f.Loaded)
	s := e.newRuleSet(f)
	s.nth = old.nth + 1
	s.set.KeepOff(old.set)
	r.Diff = changesOf(old, s, kept)
	e.rules.Store(s)
	s.set.KeepOff(old.set) // what was switched off meanwhile
	return r
}

// rulePlaces are the files and folders the rules in use came from.
func (e *Engine) rulePlaces() []string { return e.rules.Load().files.Places }
