package sources

import (
	"fmt"
	"io/fs"
	"os"

	"bartizan/event"
)

// IDOf returns the identity of an open file: device and inode.
func IDOf(f *os.File) (event.FileID, error) {
	fi, err := f.Stat()
	if err != nil {
		return event.FileID{}, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return statID(fi), nil
}

// IDOfInfo returns the identity of what was looked at.
func IDOfInfo(fi fs.FileInfo) event.FileID { return statID(fi) }
