package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// sshTarget is what ssh's config says of a host: keywords in lower case. The first
// value of a keyword holds, but for identityfile, which collects.
type sshTarget struct {
	alias   string // as the URL names the host
	home    string
	values  map[string]string
	ids     []string
	skipped []string // Match lines that could not be decided here
}

// maxSSHIncludes is ssh's own bound on files that include each other.
const maxSSHIncludes = 16

// sshTargetFor reads ssh's config for a host: what the command line given with
// core.sshCommand says, then the user's file and the system's.
func sshTargetFor(host, home string, command sshCommand) (*sshTarget, error) {
	t := &sshTarget{alias: host, home: home, values: map[string]string{}}
	for _, o := range command.options {
		t.set(o[0], o[1])
	}
	files := []string{filepath.Join(home, ".ssh", "config"), "/etc/ssh/ssh_config"}
	if home == "" {
		files = files[1:]
	}
	if command.config != "" {
		files = []string{t.expand(command.config)}
	}
	for _, f := range files {
		on := true
		if err := t.read(f, &on, 0); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// set takes a keyword's value unless an earlier one holds.
func (t *sshTarget) set(key, value string) {
	key = strings.ToLower(key)
	if key == "identityfile" {
		t.ids = append(t.ids, value)
		return
	}
	if _, ok := t.values[key]; !ok {
		t.values[key] = value
	}
}

// read goes through one file. on says whether the current block is for this host.
func (t *sshTarget) read(file string, on *bool, depth int) error {
	if depth > maxSSHIncludes {
		return fmt.Errorf("reading ssh config %q: more than %d includes inside each other", file, maxSSHIncludes)
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading ssh config: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		key, words := sshLine(line)
		switch {
		case key == "" || len(words) == 0:
		case key == "host":
			*on = matchHost(words, t.alias)
		case key == "match":
			*on = t.match(words)
		case !*on:
		case key == "include":
			if err := t.include(words, file, depth); err != nil {
				return err
			}
		case key == "userknownhostsfile" || key == "globalknownhostsfile" || key == "proxycommand":
			t.set(key, strings.Join(words, "\n"))
		default:
			t.set(key, words[0])
		}
	}
	return nil
}

func (t *sshTarget) include(patterns []string, file string, depth int) error {
	for _, p := range patterns {
		p = t.expand(p)
		if !filepath.IsAbs(p) {
			dir := filepath.Join(t.home, ".ssh")
			if strings.HasPrefix(file, "/etc/") {
				dir = "/etc/ssh"
			}
			p = filepath.Join(dir, p)
		}
		found, err := filepath.Glob(p)
		if err != nil {
			return fmt.Errorf("reading ssh config %q: include %q: %w", file, p, err)
		}
		for _, f := range found {
			on := true // a block in an included file ends with it
			if err := t.read(f, &on, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// match decides a Match line by host. Other conditions, exec above all, do not
// hold here; an error over missing keys names them.
func (t *sshTarget) match(words []string) bool {
	if len(words) == 1 && strings.EqualFold(words[0], "all") {
		return true
	}
	for i := 0; i+1 < len(words); i += 2 {
		host := t.alias
		switch strings.ToLower(words[i]) {
		case "host":
			host = t.host()
		case "originalhost":
		default:
			t.skipped = append(t.skipped, "Match "+strings.Join(words, " "))
			return false
		}
		if !matchHost(strings.Split(words[i+1], ","), host) {
			return false
		}
	}
	return len(words)%2 == 0
}

// matchHost applies patterns with * and ?; one with a ! that matches wins.
func matchHost(patterns []string, host string) bool {
	matched := false
	host = strings.ToLower(host)
	for _, p := range patterns {
		p, not := strings.CutPrefix(strings.ToLower(p), "!")
		// path.Match knows brackets and escapes, which ssh does not.
		p = strings.NewReplacer("[", `\[`, `\`, `\\`).Replace(p)
		if ok, err := path.Match(p, host); err == nil && ok {
			if not {
				return false
			}
			matched = true
		}
	}
	return matched
}

// sshLine takes a line apart: a keyword, blanks or one "=", and words, which may be
// in double quotes.
func sshLine(line string) (key string, words []string) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", nil
	}
	i := strings.IndexAny(line, " \t=")
	if i < 0 {
		return strings.ToLower(line), nil
	}
	key = strings.ToLower(line[:i])
	rest := strings.TrimLeft(line[i:], " \t")
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "="), " \t")
	for rest != "" && rest[0] != '#' {
		var word string
		if rest[0] == '"' {
			word, rest, _ = strings.Cut(rest[1:], `"`)
		} else if i := strings.IndexAny(rest, " \t"); i >= 0 {
			word, rest = rest[:i], rest[i:]
		} else {
			word, rest = rest, ""
		}
		words = append(words, word)
		rest = strings.TrimLeft(rest, " \t")
	}
	return key, words
}

// expand replaces ~ and the tokens that paths may have.
func (t *sshTarget) expand(p string) string {
	if rest, ok := strings.CutPrefix(p, "~/"); ok {
		p = filepath.Join(t.home, rest)
	}
	return strings.NewReplacer("%%", "%", "%d", t.home, "%h", or(t.values["hostname"], t.alias), "%n", t.alias,
		"%r", t.values["user"]).Replace(p)
}

// host is the name or address to connect to.
func (t *sshTarget) host() string {
	return strings.NewReplacer("%%", "%", "%h", t.alias).Replace(or(t.values["hostname"], t.alias))
}

// refused says what in the config asks for a connection that is not made here.
func (t *sshTarget) refused() error {
	for _, key := range []string{"proxyjump", "proxycommand"} {
		if v, ok := t.values[key]; ok && !strings.EqualFold(v, "none") {
			return &UnsupportedError{
				What: fmt.Sprintf("ssh to %q goes through another program or host (%s in ssh's config)", t.alias, key),
				Hint: "use an https URL, or open a tunnel and set HostName and Port to it",
			}
		}
	}
	return nil
}

// knownHostsFiles lists the files that are there.
func (t *sshTarget) knownHostsFiles() (files []string) {
	var names []string
	if v, ok := t.values["userknownhostsfile"]; ok {
		names = strings.Split(v, "\n")
	} else if t.home != "" {
		names = []string{"~/.ssh/known_hosts", "~/.ssh/known_hosts2"}
	}
	if v, ok := t.values["globalknownhostsfile"]; ok {
		names = append(names, strings.Split(v, "\n")...)
	} else {
		names = append(names, "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
	}
	for _, n := range names {
		n = t.expand(n)
		if fi, err := os.Stat(n); err == nil && fi.Mode().IsRegular() {
			files = append(files, n)
		}
	}
	return files
}

// sshCommand is the part of a command line for ssh that changes whom it
// connects to and as whom.
type sshCommand struct {
	options [][2]string
	config  string // -F
}

// parseSSHCommand reads core.sshCommand or GIT_SSH_COMMAND. No program is run, so
// anything but a plain ssh with options that are understood is refused:
// actions/checkout, for one, names its key and known hosts in this way.
func parseSSHCommand(text string) (sshCommand, error) {
	var c sshCommand
	refuse := func(why string) (sshCommand, error) {
		return sshCommand{}, &UnsupportedError{
			What: "core.sshCommand or GIT_SSH_COMMAND: " + why,
			Hint: "sluice speaks ssh itself: put what the command sets into ~/.ssh/config and unset it",
		}
	}
	words, ok := shellWords(text)
	if !ok {
		return refuse("it needs a shell")
	}
	if len(words) == 0 {
		return c, nil
	}
	if base := strings.TrimSuffix(path.Base(filepath.ToSlash(words[0])), ".exe"); base != "ssh" {
		return refuse(fmt.Sprintf("it runs %q", base))
	}
	for i := 1; i < len(words); i++ {
		w := words[i]
		if len(w) >= 2 && w[0] == '-' && strings.Trim(w[1:], "qvTaxCn46") == "" {
			continue
		}
		if len(w) < 2 || w[0] != '-' || !strings.Contains("ipFlo", w[1:2]) {
			return refuse(fmt.Sprintf("%q is not understood", w))
		}
		value := w[2:]
		if value == "" {
			if i++; i == len(words) {
				return refuse(fmt.Sprintf("%q has no value", w))
			}
			value = words[i]
		}
		switch w[1] {
		case 'F':
			c.config = value
		case 'o':
			key, words := sshLine(value)
			if len(words) == 0 {
				return refuse(fmt.Sprintf("%q is not understood", value))
			}
			c.options = append(c.options, [2]string{key, strings.Join(words, "\n")})
		default:
			key := map[byte]string{'i': "identityfile", 'p': "port", 'l': "user"}[w[1]]
			c.options = append(c.options, [2]string{key, value})
		}
	}
	return c, nil
}

// shellWords splits a command line; ok is false if only a shell could.
func shellWords(text string) (words []string, ok bool) {
	word, open := "", false
	quote := rune(0)
	for _, r := range text {
		switch {
		case strings.ContainsRune("$`\\", r) && quote != '\'', quote == 0 && strings.ContainsRune(";&|<>()*?\n", r):
			return nil, false
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word += string(r)
		case r == '\'' || r == '"':
			quote, open = r, true
		case r == ' ' || r == '\t':
			if open {
				words = append(words, word)
			}
			word, open = "", false
		default:
			word, open = word+string(r), true
		}
	}
	if open {
		words = append(words, word)
	}
	return words, quote == 0
}
