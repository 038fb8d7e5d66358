// Package ssh reads the logs of hosts that have no agent listening, through the
// person's own OpenSSH: where the bartizan binary is, it is asked to be an agent
// over the connection's pipes; where it is not, a small POSIX shell command shows
// each file and follows it, and this side keeps count of the bytes.
//
// Nothing is run over there but that: /bin/sh with ls, wc, dd, cksum, head, tail,
// cat and sleep, or "bartizan agent --stdio". Hosts and paths are quoted for every
// shell or refused. Nothing is asked for: keys, host keys, jumps and shared
// connections are what the person's ssh_config says.
//
// What blocks: a stream whose batches are not taken; ssh then stops reading. What
// may be lost: what a file lost (truncated, or rotated away and compressed) while
// nobody was connected; that is delivered as a record with Lost set.
package ssh
