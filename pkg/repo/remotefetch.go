package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/sluice-dev/sluice/pkg/refname"
)

// FetchSpec says which ref of the remote goes where. Both may end in "*", which
// stands for the same text on both sides. Local is a remote-tracking ref
// (refs/remotes/…): it is made equal to the remote's whatever it held.
type FetchSpec struct{ Remote, Local string }

// FetchOptions says how much history to get. The zero value gets what is new and leaves a
// shallow clone's boundary where it is. At most one is set, and each is without effect on
// what is complete here already.
type FetchOptions struct {
	Depth     int  // that many commits from the remote's tips
	Deepen    int  // that many commits more than there are
	Unshallow bool // all
}

// infinite is what git sends for "all history".
const infinite = 0x7fffffff

// Fetch gets refs with all that they lead to and gives what the remote has of them,
// by its names for them. A ref that the remote has not is no error and not in the answer; what
// Local was at before stays then. Objects are durable and complete before the
// first ref moves.
func (m *Remote) Fetch(ctx context.Context, specs []FetchSpec, options FetchOptions) (map[string]ID, error) {
	if err := checkSpecs(specs); err != nil {
		return nil, err
	}
	// The packs that came since the repository was opened count too.
	if err := m.repo.objects.refresh(); err != nil {
		return nil, err
	}
	g, w, stop, err := m.greet(ctx, m.fetchAt, uploadPack)
	if err != nil {
		return nil, m.fail("fetching from", m.fetchAt, err, "")
	}
	defer stop()
	defer w.close()
	got, updates := pick(g.refs, specs)
	f := &fetching{remote: m, ctx: ctx, wire: w, greeting: g, options: options}
	if f.wants, err = f.choose(got); err != nil {
		return nil, err
	}
	writer := m.repo.NewWriter()
	defer writer.Close()
	if len(f.wants) > 0 {
		if err := f.run(writer); err != nil {
			return nil, m.fail("fetching from", m.fetchAt, err, "")
		}
	}
	for local, id := range updates {
		if err := m.track(ctx, local, id, "fetch "+m.name); err != nil {
			return nil, err
		}
	}
	return got, nil
}

func checkSpecs(specs []FetchSpec) error {
	for _, s := range specs {
		if strings.HasSuffix(s.Remote, "*") != strings.HasSuffix(s.Local, "*") {
			return fmt.Errorf("fetching %q to %q: both end in * or none", s.Remote, s.Local)
		}
		if !strings.HasPrefix(s.Local, "refs/remotes/") {
			return fmt.Errorf("fetching %q to %q: that is no remote-tracking ref", s.Remote, s.Local)
		}
		for _, name := range []string{s.Remote, s.Local} {
			if plain, ok := strings.CutSuffix(name, "*"); ok {
				name = plain + "x"
			}
			if err := refname.Check(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// pick applies the specs to the remote's refs.
func pick(refs map[string]ID, specs []FetchSpec) (got, updates map[string]ID) {
	got, updates = map[string]ID{}, map[string]ID{}
	for name, id := range refs {
		for _, s := range specs {
			if local, ok := s.local(name); ok {
				got[name] = id
				updates[local] = id
			}
		}
	}
	return got, updates
}

// local gives where a ref of the remote goes.
func (s FetchSpec) local(name string) (string, bool) {
	prefix, glob := strings.CutSuffix(s.Remote, "*")
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok || glob == (rest == "") {
		return "", false
	}
	return strings.TrimSuffix(s.Local, "*") + rest, true
}

// track makes a remote-tracking ref equal to what the remote had. Whoever fetches
// at the same time saw the remote at another moment; both are right.
func (m *Remote) track(ctx context.Context, local string, id ID, message string) error {
	for tries := 0; ; tries++ {
		now, err := m.repo.readRef(local)
		if err != nil && !errors.Is(err, errNoRef) {
			return err
		}
		if now.target != "" {
			return m.repo.symbolic(local, now.target)
		}
		if now.id == id {
			return nil
		}
		err = m.repo.UpdateRefs(ctx, []RefUpdate{{Name: local, Old: now.id, New: id}}, m.options.Who, message)
		var moved *MovedError
		if !errors.As(err, &moved) || tries >= 5 {
			return err
		}
	}
}

// fetching is one fetch.
type fetching struct {
	remote   *Remote
	ctx      context.Context
	wire     wire
	greeting *greeting
	options  FetchOptions
	wants    []ID
	shallow  map[ID]bool // as the file says
}

func (o FetchOptions) set() bool { return o.Depth > 0 || o.Deepen > 0 || o.Unshallow }

// choose lists what has to be asked for.
func (f *fetching) choose(got map[string]ID) (wants []ID, err error) {
	r := f.remote.repo
	if f.shallow, err = r.readShallow(); err != nil {
		return nil, err
	}
	have, err := r.tips()
	if err != nil {
		return nil, err
	}
	// In a complete repository a depth would cut off what is here.
	if len(f.shallow) == 0 && (len(have) > 0 || f.options.Depth == 0) {
		f.options = FetchOptions{}
	}
	seen := map[ID]bool{}
	for _, id := range got {
		if seen[id] {
			continue
		}
		seen[id] = true
		if !f.options.set() && r.objects.has(id) {
			// It is here, but only what a ref leads to is surely complete.
			if _, err := r.between(f.ctx, []ID{id}, have, f.shallow, r.objects.partial); err == nil {
				continue
			}
		}
		wants = append(wants, id)
	}
	sort.Slice(wants, func(i, j int) bool { return wants[i] < wants[j] })
	return wants, f.ctx.Err()
}

// run gets one pack and makes it part of the repository.
func (f *fetching) run(writer *Writer) error {
	r := f.remote.repo
	have, err := r.tips()
	if err != nil {
		return err
	}
	offered, err := f.offer(have)
	if err != nil {
		return err
	}
	answer, _, err := f.wire.ask(func(out io.Writer) error { return f.request(out, offered) })
	if err != nil {
		return err
	}
	boundary, err := f.readBoundary(answer)
	if err != nil {
		return withSaid(err, f.wire)
	}
	if err := readAcks(answer); err != nil {
		return withSaid(unexpected(err), f.wire)
	}
	var pack io.Reader = answer.r
	if f.greeting.can("side-band-64k") {
		pack = &sideband{packets: answer, said: &said{}}
	}
	if err := f.store(pack, writer); err != nil {
		return err
	}
	return f.accept(boundary, have)
}

// request writes the one request: what is wanted, where history ends here and
// what is here. One round will do: what the server does not know of the
// last part costs bytes and nothing else.
func (f *fetching) request(out io.Writer, offered []ID) error {
	caps := ""
	for _, c := range []string{"multi_ack_detailed", "side-band-64k", "ofs-delta", "no-progress"} {
		if f.greeting.can(c) {
			caps += " " + c
		}
	}
	depth := 0
	switch o := f.options; {
	case o.Unshallow:
		depth = infinite
	case o.Deepen > 0:
		depth = o.Deepen
		caps += " deepen-relative"
	case o.Depth > 0:
		depth = o.Depth
	}
	if (depth > 0 || len(f.shallow) > 0) && !f.greeting.can("shallow") || f.options.Deepen > 0 && !f.greeting.can("deepen-relative") {
		return errNoShallow
	}
	if f.greeting.can("agent") {
		caps += " agent=sluice"
	}
	b := &strings.Builder{}
	for i, id := range f.wants {
		if i > 0 {
			caps = ""
		}
		packet(b, "want %s%s\n", id, caps)
	}
	for _, id := range sortedIDs(f.shallow) {
		packet(b, "shallow %s\n", id)
	}
	if depth > 0 {
		packet(b, "deepen %d\n", depth)
	}
	flushPacket(b)
	for _, id := range offered {
		packet(b, "have %s\n", id)
	}
	packet(b, "done\n")
	_, err := io.WriteString(out, b.String())
	return err
}

var errNoShallow = errors.New("the server does not serve shallow clones: make a full one")

// store makes the received pack durable.
func (f *fetching) store(from io.Reader, writer *Writer) error {
	r := f.remote.repo
	dir := filepath.Join(r.objects.dir, "pack")
	if err := r.shared.makeDirs(dir); err != nil {
		return err
	}
	name, err := r.storePack(dir, from, f.remote.options.MaxPack)
	if err != nil {
		return err
	}
	sum, index, count, err := r.indexPack(name)
	if err != nil || count == 0 {
		return errors.Join(err, os.Remove(name))
	}
	if err := writer.install(name, sum, index); err != nil {
		return err
	}
	if r.objects.partial {
		// What it leads to and is not here, the remote has promised.
		base := filepath.Join(dir, fmt.Sprintf("pack-%x.promisor", sum))
		if err := os.WriteFile(base, nil, 0o444); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return r.objects.refresh()
}
