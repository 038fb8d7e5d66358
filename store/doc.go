// Package store keeps what must be kept: the Ring holds the newest records in
// memory, the DB holds the board in SQLite, and the Desk joins the DB with
// triage.Board so that no move is shown that is not on disk.
//
// What blocks: Ring never blocks its writer, however slow its readers are.
// DB.Commit and Desk.Apply block on the disk (one transaction, synchronous
// FULL). Desk.Raise waits for a running Apply, never for a running Commit;
// readers (Alerts, Alert) wait for neither.
//
// What is lost: the Ring overwrites its oldest records and says so
// (ErrOverwritten, Bounds). The Desk loses nothing: when the disk fails it keeps
// what is pending, within MaxPending, then Raise refuses and the sources wait.
package store
