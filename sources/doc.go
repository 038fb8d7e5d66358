// Package sources is where records come from: files that grow and rotate,
// standard input, named pipes, the systemd journal, the output of a command and
// compressed files, found by patterns, framed into records, sent in batches and
// kept running by a supervisor.
//
// What blocks: sending a batch blocks while downstream is busy, and a blocked
// source simply stops reading. Nothing is dropped in here.
//
// What may be lost: what a writer removed before it could be read (a file
// truncated, or deleted while nobody held it). That is delivered as a record
// with Lost set, in the place where the lines would have been. A record longer
// than MaxRecord is kept to that length; the rest is counted and hashed (Cut).
// Standard input, pipes and commands cannot be read twice, so what was in
// flight when the process died is gone.
package sources
