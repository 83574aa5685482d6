package repo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestConfigAsGit holds the parser to what git lists.
func TestConfigAsGit(t *testing.T) {
	for name, text := range map[string]string{
		"plain":        "[user]\n\tname = Ann B\n\temail=a@b\n",
		"case":         "[UsEr]\nNaMe = X\n[Remote \"OriGin\"]\nURL = Y\n",
		"comments":     "# x\n; y\n[a] # c\n b = c ; d\n e = f#g\n",
		"quotes":       "[a]\n b = \" x ; y # \" z \n c = a\"b\"c\n d = \"\"\n",
		"escapes":      "[a]\n b = \\\"x\\\\y\\n\\tz\n",
		"continued":    "[a]\n b = one \\\n  two\\\nthree\n c = d\n",
		"switch":       "[a]\n b\n c = \n",
		"inline":       "[a] b = c\n[d \"e\\\"f\\\\g]\"] h = i\n",
		"old":          "[a.B]\n c = d\n",
		"crlf":         "[a]\r\n b = c\r\n d = e\\\r\nf\r\n g\r\n",
		"no newline":   "[a]\n b = c",
		"bom":          "\ufeff[a]\n b = c\n",
		"trailing":     "[a]\n b = c   \t \n d = \"e \" \n",
		"twice":        "[a]\n b = 1\n b = 2\n[a]\n b = 3\n",
		"empty":        "",
		"utf-8":        "[a]\n b = ä ö\n",
		"bad header":   "[a\n b = c\n",
		"bad header 2": "[a \"b]\n b = c\n",
		"bad header 3": "[a \"b\"x]\n b = c\n",
		"no section":   "b = c\n",
		"bad name":     "[a]\n 1b=c\n",
		"bad name 2":   "[a]\n b_c = d\n",
		"bad escape":   "[a]\n b = \\x\n",
		"open quote":   "[a]\n b = \"c\nd\n",
		"no equals":    "[a]\n b c\n",
	} {
		t.Run(name, func(t *testing.T) {
			g := newGit(t)
			g.write("cfg", text)
			want, gitErr := g.try("", "config", "--file", "cfg", "--list", "-z")
			c, err := parseConfig(text)
			if (err != nil) != (gitErr != nil) {
				t.Fatalf("parseConfig: %v; git: %v", err, gitErr)
			}
			if err != nil {
				return
			}
			var got strings.Builder
			for _, e := range c.entries {
				got.WriteString(e.key + "\n" + e.value + "\x00")
			}
			// git lists a switch without a value.
			if g, w := got.String(), strings.ReplaceAll(want, "a.b\x00", "a.b\ntrue\x00"); g != strings.ReplaceAll(w, "a.g\x00", "a.g\ntrue\x00") {
				t.Errorf("entries %q, git lists %q", g, w)
			}
		})
	}
}

func TestCommitter(t *testing.T) {
	home, xdg := t.TempDir(), t.TempDir()
	put := func(path, text string) {
		must(t, os.MkdirAll(filepath.Dir(path), 0o777))
		must(t, os.WriteFile(path, []byte(text), 0o666))
	}
	g := newGit(t)
	want := func(env Env, name, email string) {
		t.Helper()
		if got := g.openEnv(env).Committer(); got.Name != name || got.Email != email || !got.When.IsZero() {
			t.Errorf("Committer() = %+v, want %s <%s>", got, name, email)
		}
	}
	env := Env{Home: home}
	want(Env{}, "sluice", "sluice@localhost")
	want(env, "sluice", "sluice@localhost")
	put(filepath.Join(home, ".config/git/config"), "[user]\nname = xdg\nemail = xdg@x\n")
	want(env, "xdg", "xdg@x")
	put(filepath.Join(xdg, "git/config"), "[user]\nname = other\n")
	want(Env{Home: home, XDGConfigHome: xdg}, "other", "sluice@localhost")
	put(filepath.Join(home, ".gitconfig"), "[user]\nname = home\n[include]\npath = more\n[includeIf \"gitdir:"+g.dir+"/\"]\npath = ~/here\n[includeIf \"gitdir:/elsewhere/\"]\npath = ~/there\n")
	want(env, "home", "xdg@x")
	put(filepath.Join(home, "more"), "[user]\nemail = more@x\n")
	want(env, "home", "more@x")
	put(filepath.Join(home, "there"), "[user]\nemail = there@x\n")
	want(env, "home", "more@x")
	put(filepath.Join(home, "here"), "[user]\nemail = here@x\n")
	want(env, "home", "here@x")
	put(filepath.Join(home, "own"), "[user]\nname = own\n")
	want(Env{Home: home, ConfigGlobal: filepath.Join(home, "own")}, "own", "sluice@localhost")
	g.git("config", "user.name", "local")
	want(env, "local", "here@x")
	g.git("config", "extensions.worktreeConfig", "true")
	g.git("config", "--worktree", "user.name", "tree")
	want(env, "tree", "here@x")
	want(Env{Home: home, CommitterName: "A <x>\n", CommitterEmail: "e@e"}, "A x", "e@e")
	want(Env{Home: home, CommitterName: " . "}, "tree", "here@x")
	g.git("config", "committer.name", "machine")
	want(Env{Home: home, AuthorName: "A"}, "machine", "here@x")
	g.git("config", "author.email", "author@x")
	if got := g.openEnv(env).Author(); got.Name != "tree" || got.Email != "author@x" {
		t.Errorf("Author() = %+v", got)
	}
	if got := g.openEnv(Env{Home: home, AuthorName: "A", AuthorEmail: "a@a", CommitterName: "C"}).Author(); got.Name != "A" || got.Email != "a@a" {
		t.Errorf("Author() from the environment = %+v", got)
	}
	put(filepath.Join(home, "more"), "[include]\npath = more\n")
	if _, err := Open(g.dir, Env{Home: home, ConfigNoSystem: true}); err == nil {
		t.Error("an include of itself is accepted")
	}
	put(filepath.Join(home, "sys"), "[user]\nname = system\n")
	r, err := Open(newGit(t).dir, Env{ConfigSystem: filepath.Join(home, "sys")})
	must(t, err)
	if got := r.Committer().Name; got != "system" {
		t.Errorf("system config: %q", got)
	}
}

func TestMatchDir(t *testing.T) {
	for _, c := range []struct {
		pattern, dir string
		want         bool
	}{
		{"/a/b/", "/a/b/.git", true},
		{"/a/b", "/a/b/.git", false},
		{"/a/b/.git", "/a/b/.git", true},
		{"/a/*/.git", "/a/b/.git", true},
		{"b/", "/a/b/c/.git", true},
		{"b/", "/a/c/.git", false},
		{"/a/**/x/", "/a/b/c/x/.git", true},
		{"~/w/", "/home/u/w/.git", true},
		{"./s/", "/cfg/s/.git", true},
		{"./s/", "/a/s/.git", false},
		{"/a/[bc]/", "/a/b/.git", true},
		{"**/.git", "/.git", true},
	} {
		if got := matchDir(c.pattern, "/cfg/file", c.dir, Env{Home: "/home/u"}); got != c.want {
			t.Errorf("matchDir(%q, %q) = %v", c.pattern, c.dir, got)
		}
	}
}

func TestEnvFrom(t *testing.T) {
	env := EnvFrom(func(name string) string { return name })
	if env.GitDir != "GIT_DIR" || env.CommitterName != "GIT_COMMITTER_NAME" || env.Home != "HOME" || env.ConfigNoSystem {
		t.Errorf("EnvFrom = %+v", env)
	}
}

func TestRemoteURL(t *testing.T) {
	g := newGit(t)
	g.git("remote", "add", "origin", "https://user:s3cret@example.com/x.git")
	g.git("config", "--add", "remote.origin.url", "https://second.example.com/x.git")
	r := g.open()
	if url, ok := r.RemoteURL("origin"); !ok || SanitizeURL(url) != "https://example.com/x.git" {
		t.Errorf("RemoteURL = %q, %v", url, ok)
	}
	if _, ok := r.RemoteURL("nope"); ok {
		t.Error("a remote that is not there has a URL")
	}
}

func TestSanitizeURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://example.com/a/b.git":                   "https://example.com/a/b.git",
		"https://example.com:8443/a/b.git":              "https://example.com:8443/a/b.git",
		"https://example.com/group/@scope/x":            "https://scope/x",
		"https://[::1]:8443/a":                          "https://[::1]:8443/a",
		"https://TOKEN@example.com/a":                   "https://example.com/a",
		"https://u:TOKEN@example.com/a":                 "https://example.com/a",
		"https://x-access-token:TOKEN@example.com/a":    "https://example.com/a",
		"https://example.com/a?private_token=TOKEN":     "https://example.com/a",
		"https://example.com/a#TOKEN":                   "https://example.com/a",
		"HTTPS://u:TOKEN@example.com/a":                 "HTTPS://example.com/a",
		"http://u:TOK%EN@example.com/a":                 "http://example.com/a",
		"http://u:TOK/EN@example.com/a":                 "http://example.com/a",
		"http://u:TOK@EN@example.com/a":                 "http://example.com/a",
		"http://u:80/TOKEN@example.com/a":               "http://example.com/a",
		"http://u:TOK@/EN@example.com/a":                "http://example.com/a",
		"ssh://git@example.com/a":                       "ssh://git@example.com/a",
		"ssh://git:TOKEN@example.com:22/a":              "ssh://git@example.com:22/a",
		"ssh://ghp_" + strings.Repeat("T", 36) + "@h/a": "ssh://h/a",
		"git@example.com:a/b.git":                       "git@example.com:a/b.git",
		"example.com:a/b.git":                           "example.com:a/b.git",
		"u:TOKEN@example.com:a/b.git":                   "example.com:a/b.git",
		"ghp_" + strings.Repeat("T", 36) + "@h:a":       "h:a",
		"/srv/git/a.git":                                "/srv/git/a.git",
		"../a.git":                                      "../a.git",
		`C:\git\a`:                                      `C:\git\a`,
		"file:///srv/a@b.git":                           "file:///srv/a@b.git",
		"ext::ssh TOKEN":                                "ext::",
		"https://u:p?TOKEN@example.com/a":               "https://",
		"https://example.com/a?t=x@TOKEN":               "https://",
		"https://u:TOKEN@example.com/a\n::x":            "https://example.com/a::x",
		"":                                              "",
	} {
		if got := SanitizeURL(in); got != want {
			t.Errorf("SanitizeURL(%q) = %q, want %q", in, got, want)
		}
		if again := SanitizeURL(SanitizeURL(in)); again != SanitizeURL(in) {
			t.Errorf("SanitizeURL(%q) is not stable: %q", in, again)
		}
	}
}

// FuzzSanitizeURL: a password never comes through, whatever stands around it.
func FuzzSanitizeURL(f *testing.F) {
	for _, s := range []string{"https", "http", "ssh", "git"} {
		f.Add(s, "user", "pa/ss", "example.com", "a/b")
		f.Add(s, "", "p@ss", "example.com:80", "a@b")
	}
	f.Fuzz(func(t *testing.T, scheme, user, password, host, path string) {
		if strings.ContainsAny(scheme, ":/@\x00") || strings.EqualFold(scheme, "file") || strings.ContainsAny(host, "/?#@") {
			return
		}
		const canary = "CANARY"
		for _, p := range []string{canary + password, password + canary} {
			if got := SanitizeURL(fmt.Sprintf("%s://%s:%s@%s/%s", scheme, user, p, host, path)); strings.Contains(got, canary) && !strings.Contains(host+path+scheme+user, canary) {
				t.Errorf("password in %q", got)
			}
		}
	})
}

func TestReplaced(t *testing.T) {
	g := newGit(t)
	a, b := g.commit("a", "1"), g.commit("a", "2")
	check := func(want bool) {
		t.Helper()
		if got, err := g.open().Replaced(); got != want || err != nil {
			t.Errorf("Replaced() = %v, %v, want %v", got, err, want)
		}
	}
	check(false)
	g.git("replace", string(b), string(a))
	check(true)
	g.git("pack-refs", "--all")
	check(true)
	g.git("replace", "-d", string(b))
	check(false)
	must(t, os.WriteFile(filepath.Join(g.dir, ".git/info/grafts"), []byte(string(b)+"\n"), 0o666))
	check(true)
}
