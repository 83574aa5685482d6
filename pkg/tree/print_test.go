package tree

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// What is printed without the library is what the library prints.
func TestPrinted(t *testing.T) {
	parts := []string{
		"a", "e", "f", "0", "1", "9", "0x", "0b", "0o", ".", "/", "-", ":", "@", "+", "_", "yes", "No", "on", "y", "N", "true", "FALSE", "null", "~",
		"nan", ".inf", "Inf", "2001-01-01", "t", "1e5", "12:30", "app", "deployment.yaml", "apps/v1", " ", "#", "é", "'", "\"", "\n", "=", "<<", "!", "%2F",
		strings.Repeat("long-", 40), "0123456789012345678901234567890123456789", "1b4c",
	}
	r := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		s := ""
		for range r.IntN(3) {
			s += parts[r.IntN(len(parts))]
		}
		if r.IntN(8) > 0 {
			return "v" + s
		}
		return s
	}
	quick := 0
	for range 20_000 {
		record := Record{Commit: word(), Config: word(), Tree: word()}
		for range r.IntN(2) {
			record.Pins = append(record.Pins, Pin{word(), word()})
		}
		for range r.IntN(3) {
			record.Inputs = append(record.Inputs, Input{word(), word()})
		}
		for range r.IntN(2) {
			record.Absent = append(record.Absent, word())
		}
		for range r.IntN(3) {
			o := ObjectRecord{File: word(), APIVersion: word(), Kind: word(), Name: word(), Source: word()}
			if r.IntN(2) == 0 {
				o.Namespace, o.Injected, o.Images = word(), []Pin{{word(), word()}}, []string{word(), word()}
			}
			record.Objects = append(record.Objects, o)
		}
		got, ok := record.printed()
		if !ok {
			continue
		}
		quick++
		want, err := record.byTheLibrary()
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Fatalf("printed\n%s\nthe library prints\n%s", got, want)
		}
	}
	if quick < 500 {
		t.Errorf("only %d were printed without the library", quick)
	}
}

// Every text alone, in each way that YAML can take it for something else.
func FuzzSimple(f *testing.F) {
	for _, s := range []string{"a", "0b1", "1a", "12:30:45", "1e3", "yes", "0xcafe", "1_000", "2001-01-01", "a:", "a: b", ".5", "0o17", "1.5e+3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !simple(s) {
			return
		}
		out, err := encode(map[string]string{"k": s})
		if err != nil || string(out) != "k: "+s+"\n" {
			t.Errorf("the library prints %q, %v", out, err)
		}
	})
}
