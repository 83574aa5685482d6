//go:build crash && linux && amd64

package crash

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestDurableInOrder holds the order of calls to what a power cut asks for: what
// a file holds is synced before the rename or link that shows it, its directory
// after that and before the program goes on to what relies on it, and all
// objects before the first branch moves.
func TestDurableInOrder(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(s.name, func(t *testing.T) {
			shown, err := checkOrder(s.events)
			if err != nil {
				t.Error(err)
			}
			if shown == 0 {
				t.Error("no rename was seen")
			}
		})
	}
}

// checkOrder replays calls and gives how many files were shown by a rename.
func checkOrder(events []event) (shown int, err error) {
	dirty := map[string]bool{}   // files with unsynced content
	pending := map[string]bool{} // directories with unsynced names
	for _, e := range events {
		if e.result < 0 {
			continue
		}
		dir := filepath.Dir(e.path)
		switch e.name {
		case "create", "write", "pwrite64", "ftruncate":
			dirty[e.path] = true
		case "mkdirat":
			pending[dir] = true
		case "fsync":
			delete(dirty, e.path)
			delete(pending, e.path)
		case "linkat", "renameat":
			if dirty[e.path] {
				return shown, fmt.Errorf("%v: the file is not synced", e)
			}
			if e.name == "linkat" {
				continue // a lock need not last
			}
			shown++
			if strings.HasSuffix(e.path, ".lock") {
				// A branch leads to what the names in other directories lead to.
				for other := range pending {
					if other != filepath.Dir(e.to) && !strings.Contains(other, "/logs") {
						return shown, fmt.Errorf("%v: the names in %s are not synced", e, other)
					}
				}
			}
			pending[filepath.Dir(e.to)] = true
		}
	}
	for dir := range pending {
		return shown, fmt.Errorf("it ends, and the names in %s are not synced", dir)
	}
	return shown, nil
}

// TestOrderIsSeen: the check itself finds what is out of order.
func TestOrderIsSeen(t *testing.T) {
	good := []event{
		{name: "create", path: "/o/tmp"},
		{name: "write", path: "/o/tmp"},
		{name: "fsync", path: "/o/tmp"},
		{name: "renameat", path: "/o/tmp", to: "/o/pack"},
		{name: "fsync", path: "/o"},
		{name: "create", path: "/r/tmp"},
		{name: "fsync", path: "/r/tmp"},
		{name: "linkat", path: "/r/tmp", to: "/r/x.lock"},
		{name: "renameat", path: "/r/x.lock", to: "/r/x"},
		{name: "fsync", path: "/r"},
	}
	if shown, err := checkOrder(good); err != nil || shown != 2 {
		t.Errorf("what is in order: %d, %v", shown, err)
	}
	for i, e := range good {
		if e.name == "fsync" {
			if _, err := checkOrder(append(append([]event(nil), good[:i]...), good[i+1:]...)); err == nil {
				t.Errorf("without %v it is taken to be in order", e)
			}
		}
	}
}
