//go:build crash && linux && amd64

package crash

import (
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// disk is an ext4 file system in a file. What the kernel has not written to the
// file when that is copied is what a power cut takes away.
type disk struct {
	image, dir string
}

// newDisk makes and mounts one. Where that is not allowed the test is skipped:
// TestDurableInOrder holds there too, by the order of calls.
func newDisk(t *testing.T, place string) *disk {
	t.Helper()
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	d := &disk{filepath.Join(place, "image"), filepath.Join(place, "mounted")}
	must(t, os.WriteFile(d.image, nil, 0o666))
	must(t, os.Truncate(d.image, 48<<20))
	r, err := execute(place, "mkfs.ext4", "-q", "-F", d.image)
	if err == nil && r.code == 0 {
		err = d.mount(t)
	}
	if err != nil || r.code != 0 {
		t.Skipf("SKIPPED, so that no power cut was tried: it takes root, mkfs.ext4 and a loop device: %v %v", err, r)
	}
	return d
}

// mount keeps the kernel from writing on its own for five minutes.
func (d *disk) mount(t *testing.T) error {
	if err := os.MkdirAll(d.dir, 0o777); err != nil {
		return err
	}
	r, err := execute(filepath.Dir(d.dir), "mount", "-o", "loop,commit=300", d.image, d.dir)
	if err == nil && r.code != 0 {
		err = fmt.Errorf("mounting: %v", r)
	}
	if err == nil {
		t.Cleanup(func() { execute("/", "umount", d.dir) })
	}
	return err
}

// cut gives the disk as it would be after a power cut at this moment.
func (d *disk) cut(t *testing.T, n int) *disk {
	t.Helper()
	after := &disk{fmt.Sprint(d.image, n), fmt.Sprint(d.dir, n)}
	must(t, copyFile(d.image, after.image))
	must(t, after.mount(t))
	return after
}

// TestPowerCut cuts the power while commits are made, one after the other: all
// that were acknowledged are there afterwards, whole, and the next run goes on.
func TestPowerCut(t *testing.T) {
	const edits = 60
	cuts := 4
	if full {
		cuts = 20
	}
	top := place(t)
	source := filepath.Join(top, "source")
	must(t, os.MkdirAll(source, 0o777))
	newSource(t, source)
	mustSluice(t, source, "commit")
	for n := range edits {
		edit(t, source, fmt.Sprint("text ", n))
	}
	ids := strings.Fields(mustGit(t, source, "rev-list", "--reverse", "main"))
	rng := rand.New(rand.NewSource(3))
	tried, acked := 0, 0
	for n := range cuts {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			own := filepath.Join(top, fmt.Sprint("disk ", n))
			must(t, os.MkdirAll(own, 0o777))
			d := newDisk(t, own)
			tried++
			dir := filepath.Join(d.dir, "repo")
			must(t, copyTree(source, dir))
			must(t, exec.Command("sync", "-f", d.dir).Run())
			acks := committing(t, dir, ids, time.Duration(300+rng.Intn(1200))*time.Millisecond, func() {
				d = d.cut(t, 1)
			})
			acked += len(acks)
			dir = filepath.Join(d.dir, "repo")
			must(t, fsck(dir))
			reachable := mustGit(t, dir, "rev-list", "--all")
			for _, id := range acks {
				if !strings.Contains(reachable, id) {
					t.Errorf("acknowledged %s is lost", id)
				}
			}
			mustSluice(t, dir, "commit", "--rev", ids[len(ids)-1])
			must(t, fsck(dir))
			t.Logf("%d commits acknowledged before the cut", len(acks))
		})
	}
	if tried > 0 && acked == 0 {
		t.Error("nothing was acknowledged before a cut")
	}
}

// committing commits one source after the other until it is stopped, lets
// something be done while all stands still, and gives what was acknowledged.
func committing(t *testing.T, dir string, ids []string, after time.Duration, then func()) []string {
	t.Helper()
	log := filepath.Join(t.TempDir(), "acknowledged")
	cmd := exec.Command("sh", "-c", `for id in "$@"; do "$SLUICE" commit -q -o json --rev $id >>"$LOG" || exit; done`, "sh")
	cmd.Args = append(cmd.Args, ids...)
	cmd.Dir, cmd.Env = dir, append(environ(dir), "SLUICE="+sluice, "LOG="+log)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = os.Stderr
	must(t, cmd.Start())
	defer cmd.Wait()
	defer syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	time.Sleep(after)
	must(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGSTOP))
	for end := time.Now().Add(10 * time.Second); !standsStill(cmd.Process.Pid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the processes do not stop")
		}
	}
	then()
	data, err := os.ReadFile(log)
	must(t, err)
	var acks []string
	for _, m := range regexp.MustCompile(`"commit": "([0-9a-f]{40})"`).FindAllStringSubmatch(string(data), -1) {
		acks = append(acks, m[1])
	}
	return acks
}

// standsStill tells whether no process of a group is in the middle of a call.
func standsStill(group int) bool {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(data), ") ")
		f := strings.Fields(rest)
		if len(f) > 2 && f[2] == strconv.Itoa(group) && f[0] != "T" && f[0] != "Z" {
			return false
		}
	}
	return true
}

// TestPowerCutIsSeen: what is not durable is gone after a cut. Without this,
// TestPowerCut would tell nothing.
func TestPowerCutIsSeen(t *testing.T) {
	d := newDisk(t, place(t))
	dir := filepath.Join(d.dir, "repo")
	must(t, os.MkdirAll(dir, 0o777))
	newSource(t, dir)
	must(t, exec.Command("sync", "-f", d.dir).Run())
	mustGit(t, dir, "-c", "core.fsync=none", "commit", "-q", "--allow-empty", "-m", "not durable")
	id := mustGit(t, dir, "rev-parse", "main")
	after := filepath.Join(d.cut(t, 1).dir, "repo")
	if at, err := git(after, "rev-parse", "main"); err == nil && at == id {
		t.Error("a commit that was not synced is there after a power cut")
	}
}
