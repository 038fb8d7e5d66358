package event

// Enricher answers fields that no record brings: what is known of an address, a
// name or a user agent from tables and files of the person this runs for. It is
// asked only when somebody asks for such a field, so a line that nobody asks about
// costs nothing. It is safe for many goroutines and never blocks on the disk.
type Enricher interface {
	// Enrich returns a value of EnrichedNames()[at] for e; false when nothing is
	// known. A record may name several addresses: from is 0 for the first value, and
	// next what to give as from for one after it, 0 when there is none. The value is
	// no piece of Raw, and valid as long as e is.
	Enrich(e *Event, at, from int) (v Value, next int, ok bool)
	// About lists all that is known of e, in the order of EnrichedNames.
	About(e *Event) []Fact
}

// Fact is one enriched field with what said it: "built in", or a file and its line.
type Fact struct {
	Name  string `json:"field"`
	Value string `json:"value"`
	From  string `json:"from"`
}

// EnrichedName is a field that an Enricher answers. Name is Base and Leaf with a
// dot between; Base says what of the event it is about.
type EnrichedName struct{ Name, Base, Leaf, Words string }

// enrichedBases are what can be known more of.
var enrichedBases = []struct {
	names  []string
	leaves [][2]string
}{
	{[]string{"source", "destination", "client", "server"}, [][2]string{
		{"class", "what kind of address it is"},
		{"own", "true or false: whether it is one of your own addresses; absent while none are configured, and for private addresses that are not listed"},
		{"cloud.provider", "whose published address range it is in, or whose service it is"},
		{"cloud.service.name", "the service the range is of, or that made the call itself"},
		{"cloud.region", "the region the range is of"},
		{"geo.country_iso_code", "its country, two letters"},
		{"geo.country_name", "its country, in English"},
		{"geo.region_name", "its region or state, in English"},
		{"geo.city_name", "its city, in English"},
		{"as.number", "the number of its autonomous system"},
		{"as.organization.name", "who runs its autonomous system"},
	}},
	{[]string{"source", "destination", "client", "server", "host", "user", "cloud.account", "bucket", "role"}, [][2]string{
		{"asset.name", "its name in your list of assets"},
		{"asset.owner", "who answers for it"},
		{"asset.criticality", "how much depends on it: low, medium, high or critical"},
		{"asset.data_class", "what kind of data it has"},
		{"asset.region", "where it is"},
	}},
	{[]string{"user"}, [][2]string{{"class", "what kind of user it is, where that is no person"}}},
	{[]string{"user_agent"}, [][2]string{
		{"class", "what kind of tool names itself there"},
		{"tool", "which tool that is"},
	}},
}

var enrichedNames, enrichedPlaces = func() (names []EnrichedName, places map[string]int) {
	places = map[string]int{}
	for _, b := range enrichedBases {
		for _, base := range b.names {
			for _, l := range b.leaves {
				places[base+"."+l[0]] = len(names)
				names = append(names, EnrichedName{Name: base + "." + l[0], Base: base, Leaf: l[0], Words: l[1]})
			}
		}
	}
	return names, places
}()

// enrichedMarks has a bit for the length and last byte of every enriched name: a
// quick no.
var enrichedMarks = func() (m [64]uint32) {
	for _, n := range enrichedNames {
		m[len(n.Name)&63] |= 1 << (n.Name[len(n.Name)-1] & 31)
	}
	return m
}()

// EnrichedNames lists the fields that an Enricher may answer. The list is shared: do
// not change it.
func EnrichedNames() []EnrichedName { return enrichedNames }

// EnrichedAt returns the place of name in EnrichedNames, -1 when it is not there.
func EnrichedAt(name string) int {
	if n := len(name); n == 0 || enrichedMarks[n&63]>>(name[n-1]&31)&1 == 0 {
		return -1
	}
	if at, ok := enrichedPlaces[name]; ok {
		return at
	}
	return -1
}

// Enriched returns what is known of the event under that name beyond its fields;
// false when nothing is, or nobody knows more of it. from and next are as Enricher has
// them: all values of a name count.
func (e *Event) Enriched(name string, from int) (v Value, next int, ok bool) {
	if e.More == nil {
		return Value{}, 0, false
	}
	at := EnrichedAt(name)
	if at < 0 {
		return Value{}, 0, false
	}
	return e.More.Enrich(e, at, from)
}
