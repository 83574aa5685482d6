package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sluice-dev/sluice/pkg/finding"
	"github.com/sluice-dev/sluice/pkg/manifest"
)

// Inject gives the selected objects to the program, all in one YAML stream,
// and takes back from what it prints the parts that are an injector's to
// change: pod templates, and labels and annotations of the object itself.
// The order of the set, origins and every other field stay as they are, and
// so do the objects of set themselves.
//
// Every selected object has to come back, changed, and no other. The program
// runs twice and has to print the same objects both times, or the output would
// change with every run. What it has injected already has to come back
// unchanged: injecting twice is injecting once, or an error. The errors of
// objects are a finding.List, the program's own failure is a *RunError.
func Inject(ctx context.Context, p *Program, args []string, files map[string][]byte, objects manifest.Set, selected func(*manifest.Object) bool) (manifest.Set, error) {
	var list finding.List
	var chosen manifest.Set
	for _, o := range objects {
		if !selected(o) {
			continue
		}
		chosen = append(chosen, o)
		switch {
		case secret(o):
			list.Add(o.Origin.File, o.Origin.Line, fmt.Sprintf("%s is not given to %s: it may hold secrets", o.ID, p.Tool), "take it off the list")
		case signed(o):
			list.Add(o.Origin.File, o.Origin.Line, fmt.Sprintf("%s is signed by SOPS, and %s would rewrite it", o.ID, p.Tool), "take it off the list")
		}
	}
	list = append(list, manifest.Duplicates(chosen)...)
	if err := list.Err(); err != nil {
		return nil, err
	}
	if len(chosen) == 0 {
		return slices.Clone(objects), nil
	}
	stdin, err := stream(chosen)
	if err != nil {
		return nil, err
	}
	printed, err := printedTwice(ctx, p, Invocation{Args: args, Stdin: stdin, Files: files})
	if err != nil {
		return nil, err
	}
	back := match(p, chosen, printed, &list)
	out := slices.Clone(objects)
	for i, o := range out {
		if result := back[o]; result != nil {
			out[i] = accept(p, o, result, &list)
		}
	}
	if err := list.Err(); err != nil {
		return nil, err
	}
	return out, nil
}

// printedTwice gives what an injector prints, if it prints it again.
func printedTwice(ctx context.Context, p *Program, in Invocation) (manifest.Set, error) {
	first, err := p.Run(ctx, in)
	if err != nil {
		return nil, err
	}
	printed, err := parse(p, first, manifest.Origin{})
	if err != nil {
		return nil, err
	}
	second, err := p.Run(ctx, in)
	if err != nil || bytes.Equal(first, second) {
		return printed, err
	}
	again, err := parse(p, second, manifest.Origin{})
	if err != nil {
		return nil, err
	}
	if err := sameTwice(p, printed, again, manifest.Origin{}); err != nil {
		var list finding.List
		if errors.As(err, &list) {
			for i := range list {
				list[i].Hint = "give the program arguments that make its output always the same"
			}
		}
		return nil, err
	}
	return printed, nil
}

func stream(objects manifest.Set) ([]byte, error) {
	var out bytes.Buffer
	for _, o := range objects {
		text, err := manifest.Encode(o)
		if err != nil {
			return nil, err
		}
		out.WriteString("---\n")
		out.Write(text)
	}
	return out.Bytes(), nil
}

// parse reads what the program printed. What is wrong with it is wrong at: no
// file holds its lines.
func parse(p *Program, stdout []byte, at manifest.Origin) (manifest.Set, error) {
	printed, err := manifest.Parse("", stdout)
	if err == nil {
		return printed, nil
	}
	var found, list finding.List
	if !errors.As(err, &found) {
		return nil, err
	}
	for _, f := range found {
		where := "what " + p.Tool + " printed"
		if f.Line > 0 {
			where = fmt.Sprintf("line %d of %s", f.Line, where)
		}
		list.Add(at.File, at.Line, where+": "+f.Text, "")
	}
	return nil, list.Err()
}

// match pairs what went in with what came out, by identity.
func match(p *Program, in, printed manifest.Set, list *finding.List) map[*manifest.Object]*manifest.Object {
	given := map[manifest.ID]*manifest.Object{}
	for _, o := range in {
		given[o.ID] = o
	}
	back := map[*manifest.Object]*manifest.Object{}
	for _, result := range printed {
		o := given[result.ID]
		switch {
		case o == nil:
			list.Add("", 0, fmt.Sprintf("%s printed %s, which it was not given", p.Tool, result.ID), "an injector changes objects, it does not add or rename them")
		case back[o] != nil:
			list.Add(o.Origin.File, o.Origin.Line, fmt.Sprintf("%s printed %s twice", p.Tool, o.ID), "")
		default:
			back[o] = result
		}
	}
	for _, o := range in {
		if back[o] == nil {
			list.Add(o.Origin.File, o.Origin.Line, fmt.Sprintf("%s was given %s and did not print it", p.Tool, o.ID), "")
		}
	}
	return back
}
