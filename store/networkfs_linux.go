package store

import "golang.org/x/sys/unix"

// networkMagic is statfs(2)'s f_type of file systems that reach over a network.
var networkMagic = map[uint32]string{
	unix.NFS_SUPER_MAGIC: "NFS", unix.SMB_SUPER_MAGIC: "SMB", unix.SMB2_SUPER_MAGIC: "SMB2",
	unix.CIFS_SUPER_MAGIC: "CIFS", unix.AFS_SUPER_MAGIC: "AFS", unix.CODA_SUPER_MAGIC: "Coda",
	unix.CEPH_SUPER_MAGIC: "Ceph", unix.V9FS_MAGIC: "9p", unix.OCFS2_SUPER_MAGIC: "OCFS2",
	0x0bd00bd0: "Lustre", 0x01161970: "GFS2", 0x19830326: "BeeGFS", 0x564c: "NCP",
}

// networkFS names dir's file system when it is a network one, else "". FUSE is
// let through: most of it is local.
func networkFS(dir string) string {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return ""
	}
	return networkMagic[uint32(s.Type)]
}
