package conduit

// Note is what two releases that live together have to know of each other.
type Note struct {
	From, To string // the step between releases that it comes from
	Breaks   bool   // something stops working while both are there
	Text     string
}

// steps are the releases that changed something that proxies of several
// releases, or proxies and the control plane, notice. Read from the releases'
// change logs, protocol files and the proxies' own configuration.
var steps = [...]struct {
	to     release
	breaks bool
	text   string
}{
	{v020, true, "the control plane cannot read all telemetry of proxies before v0.2.0; only later proxies handle HTTP/1 and TCP"},
	{v030, true, "telemetry of proxies on the other side of v0.3.0 cannot be read; discovery and traffic between pods work"},
	{v031, false, "no protocol changed: pods of both work together; from v0.3.1 on names are no longer completed to full domains"},
	{v040, true, "telemetry is scraped from the proxies' metrics port instead of sent: upgrade the proxies first, then the control plane; statistics are missing in between"},
	{v041, false, "labels and destination metadata were added; both sides work together"},
	{v042, false, "additions only: upgrade the control plane first, then the proxies"},
	{v050, true, "TLS identities are exchanged in another form: no TLS between the two sides, plain traffic works"},
	{v1871, true, "the control plane's API and its namespace were renamed: older proxies get nothing from a newer control plane; inject everything again"},
	{v1872, true, "the pods' owner labels were renamed: what is not injected again is not seen"},
	{v1881, false, "proxies carry HTTP/1 over HTTP/2 between themselves where discovery says that both can"},
}

// Between gives the notes for two releases that live together, in whatever
// order, from the older to the newer. known is false if either is no release.
func Between(a, b string) (notes []Note, known bool) {
	older, ok1 := releaseOf(a)
	newer, ok2 := releaseOf(b)
	if !ok1 || !ok2 {
		return nil, false
	}
	if older > newer {
		older, newer = newer, older
	}
	for _, s := range steps {
		if older < s.to && s.to <= newer {
			notes = append(notes, Note{From: (s.to - 1).String(), To: s.to.String(), Breaks: s.breaks, Text: s.text})
		}
	}
	return notes, true
}
