package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain lets the test program be three things: the tests, a child that builds
// its walls, and the program inside the walls that tries to get out.
func TestMain(m *testing.M) {
	Main()
	if what := os.Getenv("INSIDE"); what != "" {
		inside(what, os.Args[1:])
		return
	}
	os.Exit(m.Run())
}

// inside does one thing and prints what came of it.
func inside(what string, args []string) {
	say := func(err error) {
		if err != nil {
			fmt.Println("error:", err)
			return
		}
		fmt.Println("ok")
	}
	switch what {
	case "hello":
		d, _ := os.Getwd()
		fmt.Println("hello from", d, os.Getpid(), os.Getuid())
	case "read":
		_, err := os.ReadFile(args[0])
		say(err)
	case "write":
		say(os.WriteFile(args[0], []byte("x"), 0o644))
	case "fill":
		say(os.WriteFile(args[0], make([]byte, 2<<20), 0o644))
	case "connect":
		c, err := net.DialTimeout("tcp", args[0], time.Second)
		if err == nil {
			c.Close()
		}
		say(err)
	case "get":
		r, err := http.Get("http://" + os.Getenv("WHERE") + "/")
		if err != nil {
			say(err)
			return
		}
		text, _ := io.ReadAll(r.Body)
		fmt.Println(string(text))
	case "lookup":
		addresses, err := net.LookupHost(args[0])
		if err != nil {
			say(err)
			return
		}
		fmt.Println(strings.Join(addresses, " "))
	case "fetch":
		r, err := http.Get(args[0])
		if err != nil {
			say(err)
			return
		}
		text, _ := io.ReadAll(r.Body)
		fmt.Println(string(text))
	case "descriptor":
		fd, _ := strconv.Atoi(args[0])
		_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		say(err)
	case "chmod":
		err := errors.Join(os.Chmod(args[0], 0o666), os.Chtimes(args[0], time.Unix(1, 0), time.Unix(1, 0)), unix.Setxattr(args[0], "user.x", []byte("y"), 0))
		say(err)
	case "brood":
		from := make(chan error)
		go broodElsewhere(from)
		say(<-from)
	case "orphan":
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "INSIDE=leave")
		cmd.Stdout = os.Stdout
		say(cmd.Run())
		time.Sleep(5 * time.Second)
	case "leave":
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "INSIDE=eat")
		say(cmd.Start())
	case "memfd":
		_, err := unix.MemfdCreate("x", 0)
		say(err)
	case "segment":
		_, err := unix.SysvShmGet(unix.IPC_PRIVATE, 1<<20, 0o600)
		say(err)
	case "semaphore":
		_, _, e := unix.Syscall(unix.SYS_SEMGET, unix.IPC_PRIVATE, 1, 0o600)
		if e != 0 {
			say(e)
			return
		}
		say(nil)
	case "signal":
		pid, _ := strconv.Atoi(args[0])
		say(syscall.Kill(pid, 0))
	case "namespace":
		cmd := exec.Command("/proc/self/exe")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER}
		say(cmd.Start())
	case "mount":
		say(syscall.Mount("tmpfs", "/tmp", "tmpfs", 0, ""))
	case "eat":
		var kept [][]byte
		for range 64 {
			b := make([]byte, 8<<20)
			for i := range b {
				b[i] = 1
			}
			kept = append(kept, b)
			time.Sleep(5 * time.Millisecond)
		}
		fmt.Println("ate", len(kept))
	case "linger":
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "INSIDE=wait")
		cmd.Stdout = os.Stdout
		say(cmd.Start())
		time.Sleep(time.Hour)
	case "wait":
		time.Sleep(time.Hour)
	case "serve":
		say(startWaiting(args[0], args[1]))
		time.Sleep(time.Hour)
	}
}

// broodElsewhere runs a child that eats, from another thread than the first.
func broodElsewhere(done chan<- error) {
	runtime.LockOSThread()
	if unix.Gettid() == os.Getpid() {
		go broodElsewhere(done)
		select {} // keeps the first thread
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "INSIDE=eat")
	cmd.Stdout = os.Stdout
	done <- cmd.Run()
}

// startWaiting starts a child that holds this process's output and never ends.
func startWaiting(level, dir string) error {
	l, err := ParseLevel(level)
	if err != nil {
		return err
	}
	b, err := New(slog.Default(), Report{Level: l}, dir)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	code := Mount{Source: filepath.Dir(exe), Target: "/var/task"}
	_, err = b.Start(context.Background(), Spec{
		Args: []string{filepath.Join(l.Path(code), filepath.Base(exe))}, Env: []string{"INSIDE=wait"}, Mounts: []Mount{code}, Output: os.Stdout,
	})
	return err
}

// A trial is a box with a folder to write in and the test program inside.
type trial struct {
	t         *testing.T
	box       *Box
	code, tmp Mount
	spec      Spec
}

// levels runs a test at every level that this machine has above none.
func levels(t *testing.T, f func(t *testing.T, tr *trial)) {
	for l := Limits; l <= Namespaces; l++ {
		t.Run(l.String(), func(t *testing.T) {
			if err := try(l, t.TempDir()); err != nil {
				t.Skipf("this machine does not have the level: %v", err)
			}
			f(t, newTrial(t, l))
		})
	}
}

func newTrial(t *testing.T, l Level) *trial {
	t.Helper()
	dir := t.TempDir()
	b, err := New(slog.Default(), Report{Level: l}, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tr := &trial{t: t, box: b,
		code: Mount{Source: filepath.Dir(exe), Target: "/var/task"},
		tmp:  Mount{Source: filepath.Join(dir, "tmp"), Target: "/tmp", Write: true},
	}
	if err := os.Mkdir(tr.tmp.Source, 0o755); err != nil {
		t.Fatal(err)
	}
	tr.spec = Spec{
		Args:   []string{filepath.Join(l.Path(tr.code), filepath.Base(exe))},
		Dir:    l.Path(tr.code),
		Mounts: []Mount{tr.code, tr.tmp},
		Limits: Resource{OpenFiles: 256, Processes: 256},
	}
	return tr
}

// start starts the test program with what to do inside.
func (tr *trial) start(what string, args ...string) (*Process, *os.File) {
	tr.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		tr.t.Fatal(err)
	}
	spec := tr.spec
	spec.Args = append(spec.Args[:1:1], args...)
	spec.Env = append(spec.Env, "INSIDE="+what)
	spec.Output = w
	p, err := tr.box.Start(context.Background(), spec)
	w.Close()
	if err != nil {
		tr.t.Fatal(err)
	}
	return p, r
}

// do does it and returns what it printed.
func (tr *trial) do(what string, args ...string) string {
	tr.t.Helper()
	p, r := tr.start(what, args...)
	text, _ := io.ReadAll(r)
	r.Close()
	p.Wait()
	return strings.TrimSpace(string(text))
}

// atLeast skips a test below a level.
func (tr *trial) atLeast(l Level) {
	if tr.box.level < l {
		tr.t.Skipf("level %s does not promise this", tr.box.level)
	}
}

func TestChildRunsInItsFolder(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		if got := tr.do("hello"); !strings.HasPrefix(got, "hello from "+tr.spec.Dir) {
			t.Errorf("got %q", got)
		}
	})
}

func TestChildReadsNothingOfTheHost(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		tr.atLeast(Landlock)
		secret := filepath.Join(t.TempDir(), "plumb.db")
		if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{secret, "/etc/shadow", fmt.Sprintf("/proc/%d/environ", os.Getpid())} {
			if got := tr.do("read", path); got == "ok" {
				t.Errorf("read %s", path)
			}
		}
		if got := tr.do("read", tr.spec.Args[0]); got != "ok" {
			t.Errorf("read of its own code: %s", got)
		}
	})
}

func TestChildWritesOnlyToItsOwnTmp(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		tr.atLeast(Landlock)
		tmp := tr.box.level.Path(tr.tmp)
		if got := tr.do("write", tmp+"/file"); got != "ok" {
			t.Errorf("write to its own tmp: %s", got)
		}
		for _, path := range []string{tr.spec.Dir + "/file", "/file", "/etc/file", "/usr/file", "/var/tmp/file"} {
			if got := tr.do("write", path); got == "ok" {
				t.Errorf("wrote %s", path)
				os.Remove(path)
			}
		}
	})
}

// A server may be started with descriptors that are open for no reason: a folder
// among them would lead out of every file system.
func TestChildInheritsNoDescriptors(t *testing.T) {
	const stray = 201
	folder, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if err := unix.Dup2(int(folder.Fd()), stray); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(stray)
	for _, l := range []Level{None, Limits, Landlock, Namespaces} {
		t.Run(l.String(), func(t *testing.T) {
			if err := try(l, t.TempDir()); err != nil {
				t.Skipf("this machine does not have the level: %v", err)
			}
			if got := newTrial(t, l).do("descriptor", strconv.Itoa(stray)); got != "error: bad file descriptor" {
				t.Errorf("descriptor %d: %s", stray, got)
			}
		})
	}
}

func TestFilesHaveALimit(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		tr.spec.Limits.FileSize = 1 << 20
		if got := tr.do("fill", tr.box.level.Path(tr.tmp)+"/file"); got == "ok" {
			t.Error("wrote more than the limit")
		}
	})
}

func TestChildReachesWhatItWasGivenAndNothingElse(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		given, other := serveText(t, "given"), serveText(t, "other")
		tr.spec.Forward = []Forward{{Inside: given, Outside: given}}
		tr.spec.Env = []string{"WHERE=" + given}
		if got := tr.do("get"); got != "given" {
			t.Errorf("get what it was given: %q", got)
		}
		if tr.box.level == Limits || tr.box.level == Landlock && landlockVersion() < landlockNetwork {
			return
		}
		if got := tr.do("connect", other); got == "ok" {
			t.Error("connected to another port")
		}
	})
}

func TestParentHearsTheChild(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		tr.spec.Listen = "WHERE"
		p, r := tr.start("get")
		defer r.Close()
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "heard") })}
		go s.Serve(p.Listener)
		defer s.Close()
		text, _ := io.ReadAll(r)
		if got := strings.TrimSpace(string(text)); got != "heard" {
			t.Errorf("got %q", got)
		}
		p.Wait()
	})
}

func TestChildSignalsNobody(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		tr.atLeast(Landlock)
		if got := tr.do("signal", strconv.Itoa(os.Getpid())); got == "ok" {
			t.Error("signalled its parent")
		}
	})
}

func TestSignalsStayInsideWithoutScopes(t *testing.T) {
	if landlockVersion() == 0 {
		t.Skip("this kernel has no Landlock")
	}
	tr := newTrial(t, Landlock)
	tr.box.scoped = false
	if got := tr.do("signal", strconv.Itoa(os.Getpid())); got == "ok" {
		t.Error("signalled its parent")
	}
	if got := tr.do("hello"); !strings.HasPrefix(got, "hello") {
		t.Errorf("got %q", got)
	}
}

func TestDoorsIntoTheKernelAreShut(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		tr.atLeast(Landlock)
		for _, what := range []string{"namespace", "mount"} {
			if got := tr.do(what); got == "ok" {
				t.Errorf("%s was allowed", what)
			}
		}
	})
}

func TestChildThatOutgrowsItsMemoryIsKilled(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		for _, groups := range []controlGroups{tr.box.groups, {}} {
			tr.box.groups = groups
			tr.spec.Limits.Memory = 128 << 20
			p, r := tr.start("eat")
			text, _ := io.ReadAll(r)
			r.Close()
			state, err := p.Wait()
			if err != ErrMemory || state.Success() {
				t.Errorf("with group %q: %v, %v, %s", groups.base, state, err, text)
			}
			if peak := p.PeakMemory(); peak < tr.spec.Limits.Memory {
				t.Errorf("with group %q it is said to have held %d bytes", groups.base, peak)
			}
		}
	})
}

func TestMemoryOfAllDescendantsCounts(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		tr.box.groups = controlGroups{}
		tr.spec.Limits.Memory = 128 << 20
		for _, what := range []string{"brood", "orphan"} {
			p, r := tr.start(what)
			text, _ := io.ReadAll(r)
			r.Close()
			if state, err := p.Wait(); err != ErrMemory {
				t.Errorf("%s: %v, %v, %s", what, state, err, text)
			}
		}
	})
}

// What no process has mapped cannot be seen from outside.
func TestMemoryThatCannotBeWatchedIsRefused(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		tr.atLeast(Landlock)
		tr.box.groups = controlGroups{}
		tr.spec.Limits.Memory = 256 << 20
		for _, what := range []string{"memfd", "segment"} {
			if got := tr.do(what); got == "ok" {
				t.Errorf("%s was made", what)
			}
		}
	})
}

func TestLandlockedChildSharesNothingByKernelNames(t *testing.T) {
	if err := try(Landlock, t.TempDir()); err != nil {
		t.Skipf("this machine does not have the level: %v", err)
	}
	tr := newTrial(t, Landlock)
	for _, what := range []string{"segment", "semaphore"} {
		if got := tr.do(what); got == "ok" {
			t.Errorf("%s was made", what)
		}
	}
}

func TestChildChangesNoModesOfTheHost(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		tr.atLeast(Landlock)
		secret := filepath.Join(t.TempDir(), "plumb.db")
		if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		before, err := os.Stat(secret)
		if err != nil {
			t.Fatal(err)
		}
		tr.do("chmod", secret)
		after, err := os.Stat(secret)
		if err != nil || after.Mode() != before.Mode() || !after.ModTime().Equal(before.ModTime()) {
			t.Errorf("%v, %v became %v, %v; %v", before.Mode(), before.ModTime(), after.Mode(), after.ModTime(), err)
		}
		if n, _ := unix.Listxattr(secret, nil); n > 0 {
			t.Error("it has an attribute")
		}
		// Programs copy files with their modes.
		own := filepath.Join(tr.box.level.Path(tr.tmp), "file")
		if got := tr.do("write", own); got != "ok" {
			t.Fatal(got)
		}
		if got := tr.do("chmod", own); strings.Contains(got, "not permitted") {
			t.Errorf("on its own file: %s", got)
		}
	})
}

func TestKillTakesTheChildrenToo(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		p, r := tr.start("linger")
		defer r.Close()
		line := make([]byte, 3)
		if _, err := io.ReadFull(r, line); err != nil || string(line) != "ok\n" {
			t.Fatalf("%q, %v", line, err)
		}
		p.Kill()
		p.Wait()
		// The pipe ends when the last process that holds it has gone.
		r.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := r.Read(line); err != io.EOF {
			t.Errorf("a child of the child still lives: %v", err)
		}
	})
}

func TestChildDiesWithAKilledServer(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		server := exec.Command(exe, tr.box.level.String(), t.TempDir())
		server.Env = append(os.Environ(), "INSIDE=serve")
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		server.Stdout, server.Stderr = w, w
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		line := make([]byte, 3)
		if _, err := io.ReadFull(r, line); err != nil || string(line) != "ok\n" {
			rest, _ := io.ReadAll(r)
			t.Fatalf("%q%s, %v", line, rest, err)
		}
		server.Process.Kill()
		server.Wait()
		// The pipe ends when the child, which holds the other end, has gone too.
		r.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := r.Read(line); err != io.EOF {
			t.Errorf("the child still lives: %v", err)
		}
	})
}

func TestMissingProgramIsAnErrorOfStart(t *testing.T) {
	levels(t, func(t *testing.T, tr *trial) {
		tr.spec.Args = []string{"/var/task/missing"}
		_, err := tr.box.Start(context.Background(), tr.spec)
		if err == nil || !strings.Contains(err.Error(), "/var/task/missing") {
			t.Errorf("got %v", err)
		}
	})
}

func TestGroupsOfKilledServersAreRemoved(t *testing.T) {
	g := findControlGroups()
	if g.base == "" {
		t.Skip("no control group can be made here")
	}
	gone := exec.Command("/proc/self/exe", "-test.run=none")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(g.base, fmt.Sprintf("plumb-%d-1", gone.Process.Pid))
	own := filepath.Join(g.base, fmt.Sprintf("plumb-%d-999", os.Getpid()))
	for _, dir := range []string{old, own} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(dir)
	}
	findControlGroups()
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Error("the group of a program that has ended is still there")
	}
	if _, err := os.Stat(own); err != nil {
		t.Error("the group of a living program was removed")
	}
}

func TestProbeFindsALevel(t *testing.T) {
	r := Probe(t.TempDir())
	t.Logf("%s, memory by %s, %q", r.Level, r.Memory, r.Reasons)
	if r.Level < Limits {
		t.Errorf("level %s", r.Level)
	}
}

func BenchmarkStart(b *testing.B) {
	for _, l := range []Level{Limits, Landlock, Namespaces} {
		b.Run(l.String(), func(b *testing.B) {
			box, err := New(slog.Default(), Report{Level: l}, b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer box.Close()
			for b.Loop() {
				p, err := box.start(context.Background(), Spec{Output: os.Stderr}, true)
				if err != nil {
					b.Fatal(err)
				}
				p.Wait()
			}
		})
	}
}

func serveText(t *testing.T, text string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) })}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}
