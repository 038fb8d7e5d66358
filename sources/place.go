package sources

import (
	"slices"

	"bartizan/event"
)

// FilePlace returns which file and which offset a file's position stands at:
// those of its newest generation. ok is false when p is no position of a file
// read line by line, or names an older generation as well.
func FilePlace(p Position) (id event.FileID, offset int64, ok bool) {
	marks, err := parseFilePosition(p)
	marks = slices.DeleteFunc(marks, func(m mark) bool { return m.done })
	if err != nil || len(marks) != 1 || marks[0].state.Mode == ModeArray || marks[0].state.Mode == ModeEnvelope || marks[0].state.Mode == ModeObjects {
		return event.FileID{}, 0, false
	}
	return marks[0].id, marks[0].state.Offset, true
}
