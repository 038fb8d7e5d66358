package ui

import (
	"context"
	"sync"

	tea "charm.land/bubbletea/v2"
)

// A task is work outside the key handler: it runs once, in a goroutine of the
// program that happens to be there, and hands back what to do with its result.
// It belongs to the console: when its program dies the next one waits for it
// again, so a move that was on its way is never forgotten and never made twice.
type task struct {
	once   sync.Once
	ctx    context.Context
	cancel context.CancelFunc
	run    func(context.Context) func() tea.Cmd
	after  func() tea.Cmd
}

// taskMsg says that a task has ended.
type taskMsg struct{ task *task }

func (t *task) wait() tea.Msg {
	t.once.Do(func() { t.after = t.run(t.ctx) })
	return taskMsg{t}
}

// spawn starts run as a task. What run returns is called on the program's own
// goroutine, where the state of the console may be changed; nil does nothing.
func (c *Console) spawn(run func(context.Context) func() tea.Cmd) (*task, tea.Cmd) {
	t := &task{run: run}
	t.ctx, t.cancel = context.WithCancel(c.life)
	c.tasks[t] = struct{}{}
	return t, t.wait
}

// finish takes the result of a task, once.
func (c *Console) finish(t *task) tea.Cmd {
	if _, ok := c.tasks[t]; !ok {
		return nil
	}
	delete(c.tasks, t)
	t.cancel()
	if t.after == nil {
		return nil
	}
	return t.after()
}

// drop cancels a task whose result nobody wants any more; nil is fine.
func (c *Console) drop(t *task) {
	if t != nil {
		delete(c.tasks, t)
		t.cancel()
	}
}

// Idle says whether no task is under way; tests and scripts wait for it.
func (c *Console) Idle() bool { return len(c.tasks) == 0 }
