package parse

import "bartizan/event"

// Zeek's logs as JSON (policy/tuning/json-logs, or a shipper's): the same names as
// in the tab separated form, one object per record. Which log it is stands in
// _path where a shipper or Corelight adds it, and otherwise shows in its members.

var (
	zPath   = known("_path")
	zWrite  = known("_write_ts")
	zOrig   = known("id.orig_h")
	zFUID   = known("fuid")
	zFUIDs  = known("fuids")
	zHost   = known("host")
	zNote   = known("note")
	zUIDs   = known("conn_uids")
	zCertID = known("certificate.serial")
)

// zeekTells are members that only one log has, the most telling first.
var zeekTells = []struct {
	has  name
	path string
}{
	{known("conn_state"), "conn"},
	{known("qclass_name"), "dns"},
	{known("trans_id"), "dns"},
	{known("trans_depth"), "http"},
	{known("auth_attempts"), "ssh"},
	{known("kex_alg"), "ssh"},
	{known("certificate.serial"), "x509"},
	{known("seen.indicator"), "intel"},
	{known("note"), "notice"},
	{known("endpoint"), "dce_rpc"},
	{known("request_type"), "kerberos"},
	{known("domainname"), "ntlm"},
	{known("server_nb_computer_name"), "ntlm"},
	{known("security_protocol"), "rdp"},
	{known("mailfrom"), "smtp"},
	{known("helo"), "smtp"},
	{known("share_type"), "smb_mapping"},
	{known("times.modified"), "smb_files"},
	{known("seen_bytes"), "files"},
	{known("reply_code"), "ftp"},
	{known("tunnel_type"), "tunnel"},
	{known("cipher"), "ssl"},
	{known("established"), "ssl"},
	{known("notice"), "weird"},
	{known("facility"), "syslog"},
}

func isZeekJSON(p *pass) bool {
	if p.has(zTS) == nil {
		return false
	}
	if p.has(zPath) != nil && (p.has(zOrig) != nil || p.has(zWrite) != nil) {
		return true
	}
	if p.has(zOrig) != nil {
		return p.has(zUID) != nil || p.has(zNote) != nil
	}
	if p.has(zUID) != nil || p.has(zFUID) != nil && (p.has(zUIDs) != nil || p.has(zFUIDs) != nil) {
		return zeekKind(p) != ""
	}
	return p.has(zCertID) != nil
}

// zeekKind is the name of the log, a constant of ours, "" where it is none we know.
func zeekKind(p *pass) string {
	if path := p.value(zPath); path != "" {
		for i := range zeekLogs {
			if zeekLogs[i].path == path {
				return zeekLogs[i].path
			}
		}
		return ""
	}
	for i := range zeekTells {
		if p.has(zeekTells[i].has) != nil {
			return zeekTells[i].path
		}
	}
	return ""
}

func readZeekJSON(p *pass) {
	p.endNative()
	kind := zeekKind(p)
	p.e.LogSource = zeekSource(kind)
	p.zeekMeaning(kind)
	about := p.value(zQuery)
	for _, n := range [...]name{zHost, zNote} {
		if about == "" {
			about = p.value(n)
		}
	}
	p.e.Message = p.compose(kind, p.value(ecsSrcIP), p.value(ecsDstIP), about)
	if p.e.Level == event.LevelUnknown {
		p.e.Level = event.LevelInfo
	}
}
