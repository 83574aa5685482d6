package manifest

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The tags a canonical scalar can have: the types that JSON knows.
const (
	tagString = "!!str"
	tagInt    = "!!int"
	tagFloat  = "!!float"
	tagBool   = "!!bool"
	tagNull   = "!!null"
)

// words11 are the plain words that YAML 1.1 reads as booleans and YAML 1.2 as
// text. kubectl, through sigs.k8s.io/yaml, follows 1.1; kustomize follows 1.2.
var words11 = map[string]string{
	"y": "true", "Y": "true", "yes": "true", "Yes": "true", "YES": "true", "on": "true", "On": "true", "ON": "true",
	"n": "false", "N": "false", "no": "false", "No": "false", "NO": "false", "off": "false", "Off": "false", "OFF": "false",
}

var (
	digits = regexp.MustCompile(`^[-+]?[0-9][0-9_]*$`)
	base60 = regexp.MustCompile(`^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)
)

// resolve gives the tag and canonical text of a scalar as kubectl would send
// it. ambiguous is set where kustomize would read the same text otherwise.
// problem is not empty if the value has no JSON form.
func resolve(n *yaml.Node) (tag, value string, ambiguous bool, problem string) {
	tag, value = n.ShortTag(), n.Value
	quoted := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	explicit := n.Style&yaml.TaggedStyle != 0
	if quoted && !explicit {
		return tagString, value, false, ""
	}
	switch tag {
	case tagString:
		if word, ok := words11[value]; ok && !explicit {
			return tagBool, word, true, ""
		}
		return tagString, value, false, ""
	case "!!timestamp":
		// kubectl keeps the text of a date; kustomize rewrites it as a point in time.
		return tagString, value, true, ""
	case tagNull:
		return tagNull, "null", false, ""
	case tagBool:
		switch {
		case strings.EqualFold(value, "true"):
			return tagBool, "true", false, ""
		case strings.EqualFold(value, "false"):
			return tagBool, "false", false, ""
		}
		return "", "", false, strconv.Quote(value) + " is not a boolean"
	case tagInt, tagFloat:
		return number(value)
	case "!!merge":
		return tagString, value, false, ""
	}
	return "", "", false, "tag " + strconv.Quote(n.Tag) + " has no meaning in a Kubernetes object"
}

// number gives a number as encoding/json prints it, which is what kubectl sends.
func number(text string) (tag, value string, ambiguous bool, problem string) {
	plain := strings.ReplaceAll(text, "_", "")
	if i, err := strconv.ParseInt(plain, 0, 64); err == nil {
		return tagInt, strconv.FormatInt(i, 10), false, ""
	}
	if u, err := strconv.ParseUint(plain, 0, 64); err == nil {
		return tagInt, strconv.FormatUint(u, 10), false, ""
	}
	f, err := strconv.ParseFloat(plain, 64)
	if math.IsInf(f, 0) || math.IsNaN(f) || strings.Contains(strings.ToLower(plain), "n") {
		return "", "", false, strconv.Quote(text) + " has no form in JSON"
	}
	if err != nil {
		return "", "", false, strconv.Quote(text) + " is not a number"
	}
	if digits.MatchString(plain) && math.Abs(f) >= 1<<63 {
		return "", "", false, "integer " + text + " does not fit into 64 bits"
	}
	if f == 0 {
		return tagInt, "0", false, "" // -0.0 too: JSON has one zero
	}
	shown, err := json.Marshal(f)
	if err != nil {
		return "", "", false, err.Error()
	}
	_, notInt := strconv.ParseInt(string(shown), 10, 64)
	_, notUint := strconv.ParseUint(string(shown), 10, 64)
	if notInt != nil && notUint != nil {
		if !strings.ContainsAny(string(shown), ".e") {
			shown = strconv.AppendFloat(nil, f, 'e', -1, 64) // else it would read as an integer that is too large
		}
		return tagFloat, string(shown), false, ""
	}
	return tagInt, string(shown), false, ""
}

// plainSafe tells whether every YAML reader, 1.1 and 1.2 alike, takes the
// text for a string when it stands unquoted.
func plainSafe(s string) bool {
	// The library tells what text means by its first letter, and knows no
	// word of more than five.
	if s != "" && asciiLetter(s[0]) && (len(s) > 5 || !strings.ContainsRune("yYnNtTfFoO", rune(s[0]))) {
		return true
	}
	if s == "" || s == "<<" || s == "=" || base60.MatchString(s) {
		return false
	}
	if _, ok := words11[s]; ok {
		return false
	}
	return (&yaml.Node{Kind: yaml.ScalarNode, Value: s}).ShortTag() == tagString
}
