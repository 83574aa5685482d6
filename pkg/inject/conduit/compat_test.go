package conduit

import "testing"

func TestBetween(t *testing.T) {
	notes, known := Between("v0.3.1", "v0.3.0")
	if !known || len(notes) != 1 || notes[0].Breaks || notes[0].From != "v0.3.0" || notes[0].To != "v0.3.1" {
		t.Errorf("v0.3.0 and v0.3.1: %v %v", notes, known)
	}
	if notes, known = Between("v0.4.2", "v0.4.4"); !known || len(notes) != 0 {
		t.Errorf("v0.4.2 and v0.4.4: %v %v", notes, known)
	}
	if notes, known = Between("v0.1.0", "stable-2.0.0"); !known || len(notes) != len(steps) {
		t.Errorf("first and last: %d notes of %d", len(notes), len(steps))
	}
	if _, known = Between("v0.3.1", "v9.9.9"); known {
		t.Error("v9.9.9 is known")
	}
}
