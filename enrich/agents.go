package enrich

import "strings"

// The classes of user agent.
const (
	agentScanner = "scanner"
	agentAttack  = "attack tool"
	agentCloud   = "cloud attack tool"
	agentDistro  = "attack distribution"
	agentCensus  = "internet census"
	agentLibrary = "library"
)

// agentClasses says what each class means, for the documentation.
var agentClasses = [][2]string{
	{agentAttack, "made to break in"},
	{agentScanner, "looks for weaknesses, of the web or of code"},
	{agentCloud, "made to explore or attack cloud accounts"},
	{agentDistro, "the machine runs a system made for attacks and their tests"},
	{agentCensus, "companies and projects that look at all of the internet all day"},
	{agentLibrary, "a program, not a browser; harmless by itself"},
}

// agentTool is a text that a tool puts into its user agent, in lower case.
type agentTool struct{ text, tool, class string }

// agentTools is looked through in this order: what says more comes first.
var agentTools = []agentTool{
	{"sqlmap", "sqlmap", agentAttack},
	{"havij", "Havij", agentAttack},
	{"hydra", "Hydra", agentAttack},
	{"metasploit", "Metasploit", agentAttack},
	{"commix", "commix", agentAttack},
	{"wfuzz", "Wfuzz", agentAttack},
	{"fuzz faster u fool", "ffuf", agentAttack},
	{"feroxbuster", "feroxbuster", agentAttack},
	{"gobuster", "gobuster", agentAttack},
	{"dirbuster", "DirBuster", agentAttack},
	{"dirsearch", "dirsearch", agentAttack},
	{"xsstrike", "XSStrike", agentAttack},
	{"jndi:", "Log4Shell probe", agentAttack},
	{"() {", "Shellshock probe", agentAttack},
	{"evil-winrm", "Evil-WinRM", agentAttack},
	{"mozi.a", "Mozi", agentAttack},
	{"nikto", "Nikto", agentScanner},
	{"nuclei", "Nuclei", agentScanner},
	{"nmap scripting engine", "Nmap", agentScanner},
	{"masscan", "masscan", agentScanner},
	{"zgrab", "ZGrab", agentScanner},
	{"zmap", "ZMap", agentScanner},
	{"wpscan", "WPScan", agentScanner},
	{"joomscan", "JoomScan", agentScanner},
	{"whatweb", "WhatWeb", agentScanner},
	{"acunetix", "Acunetix", agentScanner},
	{"nessus", "Nessus", agentScanner},
	{"openvas", "OpenVAS", agentScanner},
	{"qualys", "Qualys", agentScanner},
	{"netsparker", "Netsparker", agentScanner},
	{"invicti", "Invicti", agentScanner},
	{"arachni", "Arachni", agentScanner},
	{"w3af", "w3af", agentScanner},
	{"skipfish", "skipfish", agentScanner},
	{"burpcollaborator", "Burp Suite", agentScanner},
	{"burp suite", "Burp Suite", agentScanner},
	{"owasp zap", "ZAP", agentScanner},
	{"zaproxy", "ZAP", agentScanner},
	{"httpx - open-source", "httpx", agentScanner},
	{"katana", "katana", agentScanner},
	{"jorgee", "Jorgee", agentScanner},
	{"morfeus", "Morfeus", agentScanner},
	{"hello, world", "botnet probe", agentScanner},
	{"l9explore", "LeakIX", agentCensus},
	{"l9tcpid", "LeakIX", agentCensus},
	{"leakix", "LeakIX", agentCensus},
	{"censysinspect", "Censys", agentCensus},
	{"shodan", "Shodan", agentCensus},
	{"internetmeasurement", "InternetMeasurement", agentCensus},
	{"expanse, a palo alto", "Expanse", agentCensus},
	{"paloaltonetworks.com", "Expanse", agentCensus},
	{"netsystemsresearch", "NetSystemsResearch", agentCensus},
	{"binaryedge", "BinaryEdge", agentCensus},
	{"onyphe", "ONYPHE", agentCensus},
	{"modatscanner", "Modat", agentCensus},
	{"pacu", "Pacu", agentCloud},
	{"cloudfox", "CloudFox", agentCloud},
	{"trufflehog", "TruffleHog", agentCloud},
	{"enumerate-iam", "enumerate-iam", agentCloud},
	{"scoutsuite", "Scout Suite", agentCloud},
	{"weirdaal", "weirdAAL", agentCloud},
	{"s3scanner", "S3Scanner", agentCloud},
	{"stratus-red-team", "Stratus Red Team", agentCloud},
	{"roadtools", "ROADtools", agentCloud},
	{"azurehound", "AzureHound", agentCloud},
	{"kube-hunter", "kube-hunter", agentCloud},
	{"peirates", "Peirates", agentCloud},
	{"kali", "Kali Linux", agentDistro},
	{"parrot", "Parrot OS", agentDistro},
	{"pentoo", "Pentoo", agentDistro},
	{"blackarch", "BlackArch", agentDistro},
	{"python-requests", "Python requests", agentLibrary},
	{"python-urllib", "Python urllib", agentLibrary},
	{"aiohttp", "aiohttp", agentLibrary},
	{"go-http-client", "Go net/http", agentLibrary},
	{"libwww-perl", "libwww-perl", agentLibrary},
	{"okhttp", "OkHttp", agentLibrary},
	{"wget", "Wget", agentLibrary},
	{"curl/", "curl", agentLibrary},
}

// agentOf returns what names itself in a user agent, nil for none. It costs a look
// for each tool; the answer is remembered by whoever asks.
func agentOf(text string) *agentTool {
	text = strings.ToLower(text)
	for i := range agentTools {
		t := &agentTools[i]
		for from := 0; ; {
			at := strings.Index(text[from:], t.text)
			if at < 0 {
				break
			}
			from += at
			if !insideWord(text, from) {
				return t
			}
			from += len(t.text)
		}
	}
	return nil
}

// insideWord reports whether a letter stands before text[at]: Alpaca is not pacu.
func insideWord(text string, at int) bool {
	return at > 0 && text[at-1] >= 'a' && text[at-1] <= 'z'
}
