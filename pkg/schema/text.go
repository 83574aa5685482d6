package schema

import (
	"sort"
	"strconv"
	"strings"
	"unicode"
)

// path writes the way to a node as kubectl does:
// spec.containers[0].ports[1].containerPort. Keys that are not plain names
// are quoted: metadata.annotations["a/b"].
func path(at *step) string {
	if at == nil {
		return ""
	}
	up := path(at.up)
	switch {
	case at.item:
		return up + "[" + strconv.Itoa(at.index) + "]"
	case !plain(at.key):
		return up + "[" + strconv.QuoteToASCII(at.key) + "]"
	case up == "":
		return at.key
	}
	return up + "." + at.key
}

func plain(key string) bool {
	for _, r := range key {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '$') {
			return false
		}
	}
	return key != ""
}

// printable gives text as it is, or quoted if it holds what a terminal would
// act on or not show.
func printable(s string) string {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return strconv.QuoteToASCII(s)
		}
	}
	return s
}

// nearest gives the known name that a misspelt one most likely stands for, or "".
func nearest(name string, known []string) string {
	if len(name) > 100 {
		return "" // nobody misspells that; the search costs the product of the lengths
	}
	sort.Strings(known)
	best, limit := "", min(3, 1+len(name)/4)
	for _, k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); k != "" && d <= limit && k != name {
			best, limit = k, d-1
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbors that make a out of b.
func distance(a, b string) int {
	before, last, row := []int(nil), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		if before == nil {
			before = make([]int, len(b)+1)
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
