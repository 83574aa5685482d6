package cli

import (
	"bytes"
	"encoding/json"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain ünï":            "plain ünï",
		"a\nb\tc":              `a\nb\tc`,
		"\x1b[31m \x7f":        `\x1b[31m \x7f`,
		"c1 \u009b":            `c1 \u009b`,
		"raw \x9b31m":          `raw \x9b31m`, // a byte that 8-bit terminals take for a control
		"raw \xef alone":       `raw \xef alone`,
		"a real \uFFFD stays":  "a real \uFFFD stays",
		"\u202eright to left":  `\u202eright to left`,
		"tag \U000e0041":       `tag \U000e0041`,
		"\xff both \uFFFD\x1b": `\xff both ` + "\uFFFD" + `\x1b`,
	} {
		if got := escape(in); got != want {
			t.Errorf("escape(%q) = %q, want %q", in, got, want)
		}
	}
}

// What -o json and -o yaml print holds the same text, and nothing raw.
func TestPrintEscapes(t *testing.T) {
	text := "\x1b[31m \x7f \u009b \u202e \U000e0041 ünï \n"
	for format, read := range map[string]func([]byte, any) error{
		"json": json.Unmarshal,
		"yaml": func(data []byte, v any) error { return yaml.Unmarshal(data, v) },
	} {
		var out bytes.Buffer
		c := &command{Program: Program{Out: &out}, output: format}
		if err := c.print(map[string]any{"text": text, "list": []string{}, "n": 1}, nil); err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		for _, r := range "\x1b\x7f\u009b\u202e\U000e0041" {
			if bytes.ContainsRune(out.Bytes(), r) {
				t.Errorf("%s: %U stands raw in %q", format, r, out.String())
			}
		}
		var back struct{ Text string }
		if err := read(out.Bytes(), &back); err != nil || back.Text != text {
			t.Errorf("%s: read back as %q, %v", format, back.Text, err)
		}
	}
}
