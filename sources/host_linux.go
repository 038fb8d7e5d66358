package sources

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"bartizan/event"
)

// networkMagics are the file systems whose changes by other hosts the local
// kernel does not tell about (statfs(2), linux/magic.h).
var networkMagics = map[uint32]string{
	unix.NFS_SUPER_MAGIC: "NFS", unix.SMB_SUPER_MAGIC: "SMB", unix.CIFS_SUPER_MAGIC: "CIFS", unix.SMB2_SUPER_MAGIC: "SMB2",
	unix.V9FS_MAGIC: "9P", unix.FUSE_SUPER_MAGIC: "FUSE", unix.AFS_SUPER_MAGIC: "AFS", unix.AFS_FS_MAGIC: "AFS",
	unix.CODA_SUPER_MAGIC: "Coda", unix.NCP_SUPER_MAGIC: "NCP", unix.CEPH_SUPER_MAGIC: "Ceph", unix.OCFS2_SUPER_MAGIC: "OCFS2",
	0x0bd00bd0: "Lustre", 0x01161970: "GFS2", 0x47504653: "GPFS", 0x19830326: "BeeGFS", 0x786f4256: "VirtualBox shared folder",
	0xbacbacbc: "VMware shared folder",
}

// networkFS names the kind of file system dir lies on when it is one that other
// hosts may write to, else it is "".
func networkFS(dir string) string {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return ""
	}
	return networkMagics[uint32(st.Type)] //nolint:gosec // magic numbers have 32 bits, the field has the machine's word
}

// maxAsked bounds how many descriptors one search for a writer looks at.
const maxAsked = 100_000

// writerOf names a process that has the file open for writing, "" when there is
// none that may be seen (of other people's processes only root sees them).
func writerOf(id event.FileID) string {
	procs, _ := os.ReadDir("/proc") // without it nothing is known
	asked := 0
	for _, p := range procs {
		pid, err := strconv.Atoi(p.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		dir := filepath.Join("/proc", p.Name())
		fds, _ := os.ReadDir(dir + "/fd") // not ours to see, or ended
		for _, fd := range fds {
			if asked++; asked > maxAsked {
				return ""
			}
			fi, err := os.Stat(dir + "/fd/" + fd.Name())
			if err == nil && statID(fi) == id && opensForWriting(dir+"/fdinfo/"+fd.Name()) {
				return fmt.Sprintf("%s (pid %d)", processName(dir), pid)
			}
		}
	}
	return ""
}

// opensForWriting reads the access mode from a descriptor's fdinfo (proc(5)).
func opensForWriting(fdinfo string) bool {
	b, err := os.ReadFile(fdinfo)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "flags:"); ok {
			flags, err := strconv.ParseUint(strings.TrimSpace(rest), 8, 64)
			return err == nil && flags&unix.O_ACCMODE != unix.O_RDONLY
		}
	}
	return false
}

// processName returns the short name a process has; it may choose it itself.
func processName(dir string) string {
	b, err := os.ReadFile(dir + "/comm")
	if err != nil {
		return "a process"
	}
	return fmt.Sprintf("%.32q", strings.TrimSpace(string(b)))
}
