package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// sending is one request and its answer.
type sending struct {
	push     *pushing
	ctx      context.Context
	wire     wire
	greeting *greeting
	todo     []*PushResult
	atomic   bool
	objects  []ID
	sent     func() bool
	talk     said
}

func (s *sending) names() (names []string) {
	for _, r := range s.todo {
		names = append(names, r.Name)
	}
	return names
}

// changed says whether any ref is not where it was.
func (s *sending) changed(refs map[string]ID) bool {
	for _, r := range s.todo {
		if refs[r.Name] != r.Old {
			return true
		}
	}
	return false
}

func (s *sending) sentAll() bool { return s.sent != nil && s.sent() }

// said is what the server says beside the report, or in its place.
func (s *sending) said(err error) string {
	if len(s.talk.text) == 0 && err != nil {
		return s.wire.said()
	}
	return string(s.talk.text)
}

// prepare finds out what to send before anything is sent.
func (s *sending) prepare() error {
	m := s.push.remote
	if !s.greeting.can("report-status") {
		return m.fail("pushing to", s.push.at, errors.New("the server does not report what becomes of a push"), "")
	}
	var tips []ID
	for _, r := range s.todo {
		if r.New != "" {
			tips = append(tips, r.New)
		} else if !s.greeting.can("delete-refs") {
			return &DeclinedError{URL: s.push.at.clean, Ref: r.Name, Reason: "the server does not delete refs"}
		}
	}
	cut, err := m.repo.readShallow()
	if err == nil && len(tips) > 0 {
		s.objects, err = m.repo.between(s.ctx, tips, s.greeting.have, cut, false)
	}
	if err != nil {
		return fmt.Errorf("collecting what is to be pushed: %w", err)
	}
	return nil
}

func (s *sending) send() (*report, error) {
	answer, sent, err := s.wire.ask(s.request)
	s.sent = sent
	if err != nil {
		return nil, err
	}
	from := io.Reader(answer.r)
	if s.greeting.can("side-band-64k") {
		from = &sideband{packets: answer, said: &s.talk}
	}
	r, err := readReport(newPackets(io.LimitReader(from, maxReport)))
	if err != nil {
		return r, unexpected(err)
	}
	// Hooks that run after the report has gone out talk on.
	io.Copy(io.Discard, from)
	return r, nil
}

func (s *sending) request(out io.Writer) error {
	caps := " report-status"
	if s.greeting.can("side-band-64k") {
		caps += " side-band-64k"
	}
	if s.atomic {
		caps += " atomic"
	}
	if s.greeting.can("agent") {
		caps += " agent=sluice"
	}
	pack := false
	for i, r := range s.todo {
		if i > 0 {
			caps = ""
		} else {
			caps = "\x00" + caps
		}
		pack = pack || r.New != ""
		if err := packet(out, "%s %s %s%s", wireID(r.Old), wireID(r.New), r.Name, caps); err != nil {
			return err
		}
	}
	if err := flushPacket(out); err != nil || !pack {
		return err
	}
	return s.push.remote.repo.sendPack(out, s.objects)
}

// wireID is an id as the protocol writes it.
func wireID(id ID) ID {
	if id == "" {
		return zeroID
	}
	return id
}

// maxReport bounds a report, which has a line a ref.
const maxReport = 1 << 20

// report is the server's account of a push.
type report struct {
	unpack string // "ok", or what went wrong
	refs   map[string]string
	ended  bool
}

func readReport(p *packets) (*report, error) {
	r := &report{refs: map[string]string{}}
	for {
		text, ok, err := p.line()
		if err != nil {
			return r, unexpected(err)
		}
		if !ok {
			r.ended = true
			return r, nil
		}
		word, rest, _ := strings.Cut(text, " ")
		switch word {
		case "unpack":
			r.unpack = rest
		case "ok":
			r.refs[rest] = ""
		case "ng":
			name, why, _ := strings.Cut(rest, " ")
			r.refs[name] = or(why, "no reason given")
		default:
			return r, errNotGit
		}
	}
}

// good says whether the server has moved all the refs.
func (r *report) good(refs []*PushResult) bool {
	for _, u := range refs {
		if why, ok := r.refs[u.Name]; !ok || why != "" {
			return false
		}
	}
	return r.ended && r.unpack == "ok"
}

// refusal gives the server's reason for not moving a ref; answered is false if it
// does not say.
func (r *report) refusal(name string) (why string, answered bool) {
	if r == nil {
		return "", false
	}
	why, ok := r.refs[name]
	if why == "" && r.unpack != "" && r.unpack != "ok" {
		return "unpacking: " + r.unpack, true
	}
	return why, ok && why != ""
}

// final says whether the server's account is that of a push which it has turned down for its own
// reasons. If it ran into another push, the other may not have landed yet.
func (r *report) final() bool {
	if r == nil || !r.ended {
		return false
	}
	for _, why := range r.refs {
		for _, word := range []string{"lock", "failed to update", "transaction", "fetch first", "non-fast-forward", "exists", "stale"} {
			if strings.Contains(why, word) {
				return false
			}
		}
	}
	return true
}
