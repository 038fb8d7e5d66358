//go:build darwin || freebsd

package store

import "golang.org/x/sys/unix"

// networkFS names dir's file system when it is a network one, else "".
func networkFS(dir string) string {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return ""
	}
	name := unix.ByteSliceToString(s.Fstypename[:])
	switch name {
	case "nfs", "smbfs", "afpfs", "webdav", "cifs", "9p":
		return name
	}
	return ""
}
