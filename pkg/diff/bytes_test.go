package diff

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const password = "aHVudGVyMg=="

const aSecret = "apiVersion: v1\ndata:\n  other: b3RoZXI=\n  password: " + password + "\nkind: Secret\nmetadata:\n  name: db\n"

func TestBytes(t *testing.T) {
	for _, tt := range []struct {
		name, file, before, after string
		want                      []string
		withheld                  string
	}{{
		name: "changed", file: "a.yaml", before: "a\nb\nc\n", after: "a\nB\nc\n",
		want: []string{"@@ -1 +1 @@", " a", "-b", "+B", " c"},
	}, {
		name: "made", file: "a.yaml", after: "a",
		want: []string{"@@ -1 +1 @@", "+a", `\ no newline at the end`},
	}, {
		name: "two places", file: "a.yaml", before: "1\n2\n3\n4\n5\n6\n7\n8\n9\n", after: "one\n2\n3\n4\n5\n6\n7\n8\nnine\n",
		want: []string{"@@ -1 +1 @@", "-1", "+one", " 2", " 3", " 4", "@@ -6 +6 @@", " 6", " 7", " 8", "-9", "+nine"},
	}, {
		name: "a Secret's value", file: "secret-db.yaml", before: aSecret, after: strings.Replace(aSecret, password, "b3RoZXI=", 1),
		want: []string{"@@ -1 +1 @@", " apiVersion: v1", " data:", "   other: (value 1)", "-  password: (value 2)", "+  password: (value 1)", " kind: Secret", " metadata:", "   name: db"},
	}, {
		name: "a Secret that was turned into something else", file: "secret-db.yaml", before: aSecret,
		after: strings.Replace(aSecret, "kind: Secret", "kind: ConfigMap", 1),
		want:  []string{"@@ -2 +2 @@", " data:", "   other: (value 1)", "   password: (value 2)", "-kind: Secret", "+kind: ConfigMap", " metadata:", "   name: db"},
	}, {
		name: "a Secret in an annotation", file: "secret-db.yaml", before: aSecret, after: aSecret + "  annotations: {copy: " + password + "}\n",
		want: []string{"@@ -4 +4 @@", "   password: (value 2)", " kind: Secret", " metadata:", "+  annotations:", "+    copy: (value 2)", "   name: db"},
	}, {
		name: "among others", file: "extra.yaml", after: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: " + password + "}}\n---\n" + aSecret,
		want: []string{
			"@@ -1 +1 @@", "+apiVersion: v1", "+data:", "+  a: (value 1)", "+kind: ConfigMap", "+metadata:", "+  name: a", "+---",
			"+apiVersion: v1", "+data:", "+  other: (value 2)", "+  password: (value 1)", "+kind: Secret", "+metadata:", "+  name: db",
		},
	}, {
		name: "written otherwise", file: "secret-db.yaml", before: aSecret, after: strings.Replace(aSecret, "v1", `"v1"`, 1),
		withheld: "differs in nothing that can be shown",
	}, {
		name: "no longer an object", file: "db.yaml", before: aSecret, after: "data:\n  password: " + password,
		withheld: "holds a Secret: not shown",
	}, {
		name: "a broken Secret", file: "db.yaml", after: "data:\n  password: " + password + "\nkind: \"Secret\"\n  name: db",
		withheld: "may hold a Secret: not shown",
	}, {
		name: "a part of one", file: "secret-db.yaml", after: "password: " + password,
		withheld: "may hold a Secret: not shown",
	}, {
		name: "a record of one", file: ".sluice/staging.yaml", after: "objects:\n- kind: Secret\n",
		want: []string{"@@ -1 +1 @@", "+objects:", "+- kind: Secret"},
	}, {
		name: "no text", file: "a", after: "a\x00b\n", withheld: "not text: not shown",
	}, {
		name: "too large", file: "a", after: strings.Repeat("a\n", maxBytes/2) + "b", withheld: "over 1 MiB: not shown",
	}} {
		t.Run(tt.name, func(t *testing.T) {
			side := func(s string) []byte {
				if s == "" {
					return nil
				}
				return []byte(s)
			}
			got, withheld := Bytes(tt.file, side(tt.before), side(tt.after))
			if d := cmp.Diff(tt.want, got); d != "" || withheld != tt.withheld {
				t.Errorf("%s%q", d, withheld)
			}
			if strings.Contains(tt.before+tt.after, "Secret") && strings.Contains(strings.Join(got, "\n"), password) {
				t.Error("shows the password")
			}
		})
	}
}
