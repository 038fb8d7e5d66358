package config

import (
	"fmt"
	"regexp"
	"strings"

	"bartizan/query"
)

// Bounds of grok patterns.
const (
	maxGrokDepth  = 16
	maxGrokGroups = 200
)

// grokPatterns are the patterns that can be named without a definition, in RE2.
var grokPatterns = map[string]string{
	"WORD":       `\w+`,
	"NOTSPACE":   `\S+`,
	"SPACE":      `\s*`,
	"DATA":       `.*?`,
	"GREEDYDATA": `.*`,
	"INT":        `[+-]?\d+`,
	"POSINT":     `[1-9]\d*`,
	"NONNEGINT":  `\d+`,
	"NUMBER":     `[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?`,
	"BASE10NUM":  `%{NUMBER}`,
	"BASE16NUM":  `(?:0[xX])?[0-9A-Fa-f]+`,
	"BOOL":       `(?i:true|false|yes|no|on|off)`,

	"QUOTEDSTRING": `(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')`,
	"QS":           `%{QUOTEDSTRING}`,
	"UUID":         `[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}`,
	"MAC":          `(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}`,
	"USERNAME":     `[A-Za-z0-9._-]+`,
	"USER":         `%{USERNAME}`,
	"EMAILADDRESS": `[A-Za-z0-9._%+=-]+@%{HOSTNAME}`,

	"IPV4":     `(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)`,
	"IPV6":     `[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:(?:\d{1,3}\.){3}\d{1,3})?(?:%[0-9A-Za-z]+)?`,
	"IP":       `(?:%{IPV6}|%{IPV4})`,
	"HOSTNAME": `[0-9A-Za-z_][0-9A-Za-z_-]*(?:\.[0-9A-Za-z_][0-9A-Za-z_-]*)*\.?`,
	"IPORHOST": `(?:%{IP}|%{HOSTNAME})`,
	"HOST":     `%{HOSTNAME}`,
	"HOSTPORT": `%{IPORHOST}:%{POSINT}`,

	"UNIXPATH": `(?:/[^\s/]*)+`,
	"WINPATH":  `(?:[A-Za-z]:|\\)(?:\\[^\\?*"<>|\r\n]*)+`,
	"PATH":     `(?:%{UNIXPATH}|%{WINPATH})`,
	"URIPROTO": `[A-Za-z][A-Za-z0-9+.-]*`,
	"URIHOST":  `%{IPORHOST}(?::\d+)?`,
	"URIPATH":  `(?:/[^\s?#]*)+`,
	"URIPARAM": `\?[^\s#]*`,
	"URI":      `%{URIPROTO}://(?:[^\s@/]*@)?(?:%{URIHOST})?(?:%{URIPATH}(?:%{URIPARAM})?)?`,

	"URIPATHPARAM": `%{URIPATH}(?:%{URIPARAM})?`,

	"MONTH":    `(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)`,
	"MONTHNUM": `(?:0?[1-9]|1[0-2])`,
	"MONTHDAY": `(?:0?[1-9]|[12]\d|3[01])`,
	"DAY":      `(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)`,
	"YEAR":     `(?:\d\d){1,2}`,
	"HOUR":     `(?:2[0-3]|[01]?\d)`,
	"MINUTE":   `[0-5]\d`,
	"SECOND":   `(?:[0-5]?\d|60)(?:[:.,]\d+)?`,
	"TIME":     `%{HOUR}:%{MINUTE}(?::%{SECOND})?`,
	"TZ":       `[A-Z]{3,4}`,

	"ISO8601_TIMEZONE":  `(?:Z|[+-]\d\d:?\d\d)`,
	"TIMESTAMP_ISO8601": `\d{4}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?\s?%{ISO8601_TIMEZONE}?`,
	"HTTPDATE":          `%{MONTHDAY}/%{MONTH}/\d{4}:%{TIME} [+-]\d{4}`,
	"SYSLOGTIMESTAMP":   `%{MONTH} +%{MONTHDAY} %{TIME}`,
	"DATE_EU":           `%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}`,
	"DATE_US":           `%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}`,

	"PROG":           `[\x21-\x5a\x5c\x5e-\x7e]+`,
	"SYSLOGPROG":     `%{PROG}(?:\[%{POSINT}\])?`,
	"SYSLOGHOST":     `%{IPORHOST}`,
	"SYSLOGFACILITY": `<\d+(?:\.\d+)?>`,
	"LOGLEVEL":       `(?i:alert|trace|debug|notice|info(?:rmation)?|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|severe|emerg(?:ency)?|panic)`,
}

// grokRef is %{NAME}, %{NAME:field} or %{NAME:field:type}.
var grokRef = regexp.MustCompile(`%\{(\w+)(?::([^:{}\s]+))?(?::(\w+))?\}`)

// grok translates patterns to RE2.
type grok struct {
	own    map[string]string // definitions of the config, which win
	fields []string          // by group
	size   int
}

// compileGrok translates a grok pattern and compiles it; fields are the names of
// its groups, in order.
func compileGrok(pattern string, own map[string]string) (re *regexp.Regexp, fields []string, err error) {
	g := grok{own: own}
	expr, err := g.expand(pattern, 0)
	if err != nil {
		return nil, nil, err
	}
	if re, err = query.CompileRegex(expr); err != nil {
		return nil, nil, err
	}
	if re.NumSubexp() != len(g.fields) {
		return nil, nil, fmt.Errorf("the grok pattern has groups of its own; write (?:…) for those that are no field")
	}
	return re, g.fields, nil
}

// expand replaces the names in pattern.
func (g *grok) expand(pattern string, depth int) (string, error) {
	if depth > maxGrokDepth {
		return "", fmt.Errorf("grok patterns stand on each other more than %d deep; does one name itself?", maxGrokDepth)
	}
	var out strings.Builder
	at := 0
	for _, m := range grokRef.FindAllStringSubmatchIndex(pattern, -1) {
		out.WriteString(pattern[at:m[0]])
		at = m[1]
		name := pattern[m[2]:m[3]]
		def, ok := g.own[name]
		if !ok {
			def, ok = grokPatterns[name]
		}
		if !ok {
			return "", fmt.Errorf("there is no grok pattern %s; define it under patterns", name)
		}
		field := ""
		if m[4] >= 0 {
			field = pattern[m[4]:m[5]]
		}
		if m[6] >= 0 && !strings.Contains(" int long float double string ", " "+pattern[m[6]:m[7]]+" ") {
			return "", fmt.Errorf("%s is no type of a field; use int, float or string", pattern[m[6]:m[7]])
		}
		if err := g.group(&out, field); err != nil {
			return "", err
		}
		inner, err := g.expand(def, depth+1)
		if err != nil {
			return "", err
		}
		out.WriteString(inner + ")")
		if g.size += len(def); g.size > query.MaxRegex {
			return "", fmt.Errorf("the grok pattern becomes longer than %d bytes; shorten it", query.MaxRegex)
		}
	}
	out.WriteString(pattern[at:])
	if strings.Contains(grokRef.ReplaceAllString(pattern, ""), "%{") {
		return "", fmt.Errorf("a grok reference in %.60q is not well formed; write %%{NAME:field}", pattern)
	}
	return out.String(), nil
}

// group opens the group of a field, or one that is none.
func (g *grok) group(out *strings.Builder, field string) error {
	if field == "" {
		out.WriteString("(?:")
		return nil
	}
	if len(g.fields) >= maxGrokGroups {
		return fmt.Errorf("a format has at most %d fields", maxGrokGroups)
	}
	g.fields = append(g.fields, field)
	out.WriteString("(")
	return nil
}
